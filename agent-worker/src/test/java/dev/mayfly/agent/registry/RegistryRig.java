package dev.mayfly.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A host's registry of real processes, and a guest that asks it. */
final class RegistryRig implements AutoCloseable {

    static final int UID = 291_777;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    final Path folder;
    final Path preload;
    private final HttpClient guest = HttpClient.newHttpClient();
    private @Nullable HostRegistry registry;

    RegistryRig() throws IOException {
        // Not JUnit's: the processes, which are another user's, must get to their sockets.
        folder = Files.createTempDirectory("mayfly-registry-");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        preload = Files.createDirectories(folder.resolve("images"));
    }

    HostRegistry start(List<Upstream> upstreams, int diskMib) throws IOException {
        return start(upstreams, diskMib, RegistryFront.Limits.standard());
    }

    HostRegistry start(List<Upstream> upstreams, int diskMib, RegistryFront.Limits limits) throws IOException {
        HostRegistry started = new HostRegistry(
                new HostRegistry.Settings(
                        Path.of("/usr/bin/docker-registry"),
                        UID,
                        preload,
                        upstreams,
                        null,
                        diskMib,
                        folder.resolve("state"),
                        folder.resolve("run"),
                        Duration.ofMillis(200)),
                limits);
        if (registry != null) {
            registry.close();
        }
        registry = started;
        started.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return started;
    }

    int port() {
        return java.util.Objects.requireNonNull(registry).address().getPort();
    }

    HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        return ask("GET", path, headers);
    }

    HttpResponse<String> ask(String method, String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:%d%s".formatted(port(), path)))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .header("Accept", TestArchives.MANIFEST)
                .header("Accept", "application/vnd.docker.distribution.manifest.v2+json")
                .timeout(PATIENCE);
        if (headers.length > 0) {
            request.headers(headers);
        }
        return guest.send(request.build(), BodyHandlers.ofString(StandardCharsets.ISO_8859_1));
    }

    /** Its answer, once the image is there. */
    HttpResponse<String> awaitImage(String path) throws Exception {
        await(path + " is there", () -> {
            try {
                return get(path).statusCode() == 200;
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        return get(path);
    }

    static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("in time: " + what).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    /** Processes of this rig's registries. */
    List<ProcessHandle> processes() {
        return processesOf("");
    }

    /** Those that serve this store, such as {@code upstream-docker.io/store-1}. */
    List<ProcessHandle> processesOf(String store) {
        Path served = folder.resolve("state").resolve(store);
        return ProcessHandle.allProcesses()
                .filter(each -> {
                    try {
                        return Files.readSymbolicLink(Path.of("/proc/" + each.pid() + "/cwd"))
                                .startsWith(served);
                    } catch (IOException gone) {
                        return false;
                    }
                })
                .toList();
    }

    /**
     * All files below the folder of stores, with what they hold.
     *
     * @throws IOException also if a folder goes while they are listed
     */
    List<String> stored() throws IOException {
        try (Stream<Path> all = Files.walk(folder.resolve("state"))) {
            return all.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file) + " "
                            + content(file).map(TestArchives::digest).orElse("gone"))
                    .sorted()
                    .toList();
        } catch (UncheckedIOException gone) {
            throw new IOException(gone);
        }
    }

    private static Optional<String> content(Path file) {
        try {
            return Optional.of(Files.readString(file, StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() throws IOException {
        if (registry != null) {
            registry.close();
        }
        dev.mayfly.agent.journal.DurableFiles.delete(folder);
    }
}
