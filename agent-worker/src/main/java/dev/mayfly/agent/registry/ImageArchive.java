package dev.mayfly.agent.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An unpacked archive of images: an OCI layout ({@code podman save}, {@code skopeo copy … oci-archive:}, {@code docker buildx
 * build --output type=oci}) or what {@code docker save} writes. Every blob is held to its digest.
 *
 * @param folder what was unpacked
 */
record ImageArchive(Path folder) {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern DIGEST = Pattern.compile(RegistryRequest.DIGEST);
    private static final Pattern NAME = Pattern.compile("(.+):(" + RegistryRequest.TAG + ")");
    /** Which of an index' annotations hold an image's whole name: containerd's, then podman's and skopeo's. */
    private static final List<String> NAMES = List.of("io.containerd.image.name", "org.opencontainers.image.ref.name");

    /** Newer engines write it beside an OCI layout. */
    private static final String SAVED = "manifest.json";

    private static final String DOCKER = "application/vnd.docker.";

    /** Puts its images into a store; answers their names. */
    List<String> into(RegistryStore store) throws IOException {
        boolean layout = Files.exists(folder.resolve("index.json"));
        List<String> names = layout ? layout(store) : List.of();
        if (names.isEmpty() && (!layout || Files.exists(folder.resolve(SAVED)))) {
            names = saved(store);
        }
        if (names.isEmpty()) {
            throw new IOException("no image in it has a name; write the archive with a name such as busybox:1");
        }
        return names;
    }

    private List<String> layout(RegistryStore store) throws IOException {
        List<String> names = new ArrayList<>();
        for (JsonNode entry : read(folder.resolve("index.json")).path("manifests")) {
            for (String key : NAMES) {
                String name = entry.path("annotations").path(key).asText();
                Matcher form = NAME.matcher(name);
                if (form.matches()) {
                    Repository repository = repository(form.group(1));
                    String digest = digest(entry);
                    manifest(store, repository, digest, true);
                    store.tag(repository, form.group(2), digest);
                    names.add(name);
                    break;
                }
            }
        }
        return names;
    }

    private static Repository repository(String name) throws IOException {
        return Repository.named(name)
                .orElseThrow(() ->
                        new IOException("'%s' is no name of an image; give it one such as busybox:1 or".formatted(name)
                                + " quay.io/org/app:1"));
    }

    /** A manifest with all that it names; one that lists manifests may lack those of other machines. */
    private void manifest(RegistryStore store, Repository repository, String digest, boolean needed)
            throws IOException {
        Path file = blob(digest);
        if (!needed && !Files.exists(file)) {
            return;
        }
        put(store, digest, file);
        store.manifest(repository, digest);
        JsonNode content = read(file);
        for (JsonNode one : content.path("manifests")) {
            manifest(store, repository, digest(one), false);
        }
        if (content.has("config")) {
            layer(store, repository, digest(content.path("config")));
        }
        for (JsonNode layer : content.path("layers")) {
            layer(store, repository, digest(layer));
        }
    }

    private void layer(RegistryStore store, Repository repository, String digest) throws IOException {
        put(store, digest, blob(digest));
        store.layer(repository, digest);
    }

    private Path blob(String digest) {
        return folder.resolve("blobs/sha256").resolve(digest.substring("sha256:".length()));
    }

    private static String digest(JsonNode descriptor) throws IOException {
        String digest = descriptor.path("digest").asText();
        if (!DIGEST.matcher(digest).matches()) {
            throw new IOException("'%s' is no digest; write the archive anew".formatted(digest));
        }
        return digest;
    }

    /** What {@code docker save} writes has no manifest: layers stand beside a configuration. */
    private List<String> saved(RegistryStore store) throws IOException {
        Path list = folder.resolve(SAVED);
        if (!Files.exists(list)) {
            throw new IOException(
                    "it holds neither index.json nor manifest.json, so no images; write it by 'podman save"
                            + " --format oci-archive' or 'docker save'");
        }
        List<String> names = new ArrayList<>();
        for (JsonNode image : read(list)) {
            Path config = inside(image.path("Config").asText());
            List<String> layers = new ArrayList<>();
            ObjectNode manifest = JSON.createObjectNode()
                    .put("schemaVersion", 2)
                    .put("mediaType", DOCKER + "distribution.manifest.v2+json");
            manifest.set("config", descriptor(store, config, DOCKER + "container.image.v1+json", layers));
            for (JsonNode layer : image.path("Layers")) {
                manifest.withArray("layers")
                        .add(descriptor(store, inside(layer.asText()), DOCKER + "image.rootfs.diff.tar", layers));
            }
            Path written = Files.createTempFile(folder, "manifest", ".json");
            try (OutputStream out = Files.newOutputStream(written)) {
                JSON.writeValue(out, manifest);
            }
            String digest = digestOf(written);
            store.blob(digest, written);
            for (JsonNode each : image.path("RepoTags")) {
                Matcher form = NAME.matcher(each.asText());
                if (form.matches()) {
                    Repository repository = repository(form.group(1));
                    store.manifest(repository, digest);
                    for (String layer : layers) {
                        store.layer(repository, layer);
                    }
                    store.tag(repository, form.group(2), digest);
                    names.add(each.asText());
                }
            }
        }
        return names;
    }

    private ObjectNode descriptor(RegistryStore store, Path file, String mediaType, List<String> digests)
            throws IOException {
        String digest = digestOf(file);
        store.blob(digest, file);
        digests.add(digest);
        return JSON.createObjectNode()
                .put("mediaType", mediaType)
                .put("size", Files.size(file))
                .put("digest", digest);
    }

    /** A file of the archive, links followed; an archive can't name the host's files. */
    private Path inside(String name) throws IOException {
        Path file = folder.resolve(name).toRealPath();
        if (!file.startsWith(folder.toRealPath())) {
            throw new IOException("'%s' leads out of the archive; write it anew".formatted(name));
        }
        return file;
    }

    private void put(RegistryStore store, String digest, Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("it lacks %s; write it anew, all of it".formatted(digest));
        }
        Path real = inside(folder.relativize(file).toString());
        String found = digestOf(real);
        if (!found.equals(digest)) {
            throw new IOException("what should be %s is %s, so it is damaged; copy it anew".formatted(digest, found));
        }
        store.blob(digest, real);
    }

    private static String digestOf(Path file) throws IOException {
        MessageDigest sha256;
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), sha256)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return "sha256:" + HexFormat.of().formatHex(sha256.digest());
    }

    private static JsonNode read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return JSON.readTree(in);
        }
    }
}
