package dev.mayfly.agent.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/** Archives of images as podman and docker write them, of one layer each that says who it is. */
final class TestArchives {

    static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";

    private TestArchives() {}

    /** An image's parts. */
    record Image(String layer, String config, String manifest) {

        static Image of(String layer) {
            String config = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}".formatted(digest(layer));
            String manifest =
                    ("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
                                    + "\"digest\":\"%s\",\"size\":%d},\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
                                    + "\"digest\":\"%s\",\"size\":%d}]}")
                            .formatted(MANIFEST, digest(config), config.length(), digest(layer), layer.length());
            return new Image(layer, config, manifest);
        }
    }

    static String digest(String content) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            return "sha256:" + HexFormat.of().formatHex(sha256.digest(content.getBytes(StandardCharsets.ISO_8859_1)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** An OCI layout with one image. */
    static void oci(Path archive, String name, Image image) {
        oci(archive, name, image, folder -> {});
    }

    /** @param more what is done to the layout before it is packed */
    static void oci(Path archive, String name, Image image, Content more) {
        packed(archive, folder -> {
            for (String blob : List.of(image.layer(), image.config(), image.manifest())) {
                put(folder.resolve("blobs/sha256").resolve(digest(blob).substring(7)), blob);
            }
            put(folder.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
            put(
                    folder.resolve("index.json"),
                    ("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d,"
                                    + "\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}}]}")
                            .formatted(
                                    MANIFEST,
                                    digest(image.manifest()),
                                    image.manifest().length(),
                                    name));
            more.into(folder);
        });
    }

    /** What {@code docker save} wrote before version 25: one layer is a link to another. */
    static void dockerSave(Path archive, String name, Image image) {
        packed(archive, folder -> {
            put(folder.resolve("one/layer.tar"), image.layer());
            Files.createDirectories(folder.resolve("two"));
            Files.createSymbolicLink(folder.resolve("two/layer.tar"), Path.of("../one/layer.tar"));
            put(folder.resolve("config.json"), image.config());
            put(
                    folder.resolve("manifest.json"),
                    "[{\"Config\":\"config.json\",\"RepoTags\":[\"%s\"],\"Layers\":[\"one/layer.tar\",\"two/layer.tar\"]}]"
                            .formatted(name));
        });
    }

    /** What is put into a folder before it is packed. */
    interface Content {
        void into(Path folder) throws IOException;
    }

    /** Packs it, and moves it to its place when it is whole. */
    static void packed(Path archive, Content content) {
        try {
            Path folder = Files.createTempDirectory(archive.getParent(), ".content");
            content.into(folder);
            Path half = archive.resolveSibling(archive.getFileName() + ".half");
            Process tar = new ProcessBuilder("tar", "-C", folder.toString(), "-cf", half.toString(), ".")
                    .inheritIO()
                    .start();
            if (tar.waitFor() != 0) {
                throw new IOException("tar failed");
            }
            Files.move(half, archive, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void put(Path file, String content) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, content, StandardCharsets.ISO_8859_1);
    }
}
