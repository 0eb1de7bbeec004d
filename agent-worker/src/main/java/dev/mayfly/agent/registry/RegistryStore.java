package dev.mayfly.agent.registry;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A store of images as {@code docker-registry} keeps them on a file system (distribution 2.8, {@code
 * registry/storage/paths.go}), written from outside while no process uses it.
 *
 * @param folder of the process that serves it
 */
record RegistryStore(Path folder) {

    private static final String ALGORITHM = "sha256:";

    private Path root() {
        return folder.resolve("storage/docker/registry/v2");
    }

    private static String hex(String digest) {
        return digest.substring(ALGORITHM.length());
    }

    /** Puts a file's content in, without copying it. */
    void blob(String digest, Path file) throws IOException {
        String hex = hex(digest);
        Path data = root().resolve("blobs/sha256/%s/%s/data".formatted(hex.substring(0, 2), hex));
        if (!Files.exists(data)) {
            Files.createDirectories(data.getParent());
            Files.createLink(data, file);
        }
    }

    /** Lets a repository have a blob. */
    void layer(Repository repository, String digest) throws IOException {
        link(repository, "_layers/sha256/" + hex(digest), digest);
    }

    /** Lets a repository have a manifest, by its digest. */
    void manifest(Repository repository, String digest) throws IOException {
        link(repository, "_manifests/revisions/sha256/" + hex(digest), digest);
    }

    /** Gives a manifest a name. */
    void tag(Repository repository, String tag, String digest) throws IOException {
        link(repository, "_manifests/tags/" + tag + "/current", digest);
        link(repository, "_manifests/tags/" + tag + "/index/sha256/" + hex(digest), digest);
    }

    private void link(Repository repository, String folder, String digest) throws IOException {
        Path link = root().resolve("repositories")
                .resolve(repository.path())
                .resolve(folder)
                .resolve("link");
        Files.createDirectories(link.getParent());
        Files.write(link, digest.getBytes(StandardCharsets.US_ASCII));
    }
}
