package dev.mayfly.agent.image;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.mayfly.agent.image.ImageManifest.ImageFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** A guest image: a folder of kernel, initrd, read-only base and empty scratch disk, and its manifest. Never written to. */
public record GuestImage(Path folder, ImageManifest manifest) {

    private static final int FORMAT_VERSION = 1;
    private static final List<String> FILES = List.of("vmlinuz", "initrd.cpio", "rootfs.ext4", "scratch.ext4");

    /** Reads the manifest. */
    public static GuestImage open(Path folder) throws IOException {
        Path file = folder.resolve("manifest.json");
        ImageManifest manifest = JsonMapper.builder()
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
                .build()
                .readValue(Files.readAllBytes(file), ImageManifest.class);
        if (manifest.formatVersion() != FORMAT_VERSION) {
            throw new IOException("%s has format version %d; this agent reads version %d"
                    .formatted(file, manifest.formatVersion(), FORMAT_VERSION));
        }
        return new GuestImage(folder, manifest);
    }

    public Path kernel() {
        return folder.resolve("vmlinuz");
    }

    public Path initrd() {
        return folder.resolve("initrd.cpio");
    }

    public Path rootFileSystem() {
        return folder.resolve("rootfs.ext4");
    }

    public Path scratchTemplate() {
        return folder.resolve("scratch.ext4");
    }

    /** A short name of exactly this image's content. */
    public String digest() {
        StringBuilder all = new StringBuilder();
        FILES.forEach(name -> all.append(entry(name).sha256()));
        return sha256(all.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 16);
    }

    /**
     * What is wrong with the image's files.
     *
     * @param contents also read them all and compare digests, which takes seconds
     */
    public List<String> damage(boolean contents) throws IOException {
        List<String> damage = new ArrayList<>();
        for (String name : FILES) {
            Path file = folder.resolve(name);
            ImageFile wanted = manifest.files().get(name);
            if (wanted == null) {
                damage.add("manifest.json does not list " + name);
            } else if (!Files.isRegularFile(file)) {
                damage.add(file + " is missing");
            } else if (Files.size(file) != wanted.bytes()) {
                damage.add("%s has %d bytes, not %d".formatted(file, Files.size(file), wanted.bytes()));
            } else if (contents && !sha256(file).equals(wanted.sha256())) {
                damage.add(file + " differs from its digest in manifest.json");
            }
        }
        return damage;
    }

    private ImageFile entry(String name) {
        Map<String, ImageFile> files = manifest.files();
        return files.getOrDefault(name, new ImageFile("", 0));
    }

    /** In hex. */
    public static String sha256(byte[] content) {
        return HexFormat.of().formatHex(sha256().digest(content));
    }

    private static String sha256(Path file) throws IOException {
        MessageDigest digest = sha256();
        byte[] buffer = new byte[1 << 20];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
