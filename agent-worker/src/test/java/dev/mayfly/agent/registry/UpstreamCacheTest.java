package dev.mayfly.agent.registry;

import static dev.mayfly.agent.registry.TestArchives.digest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.registry.TestArchives.Image;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With real registry processes, and an upstream that is played. */
class UpstreamCacheTest {

    private static final Duration PROMISED = Duration.ofSeconds(5);

    private final Image image = Image.of("a layer");
    private RegistryRig rig;
    private FakeUpstream upstream;

    @BeforeEach
    void begin() throws IOException {
        rig = new RegistryRig();
        upstream = new FakeUpstream();
    }

    @AfterEach
    void end() throws IOException {
        upstream.close();
        rig.close();
        assertThat(rig.processes()).as("processes that outlive it").isEmpty();
    }

    private String layerOf(String repository, Image of) {
        return "/v2/%s/blobs/%s".formatted(repository, digest(of.layer()));
    }

    @Test
    void anImageIsFetchedOnceAndServedWhenItsRegistryIsAway() throws Exception {
        upstream.has("library/busybox", "1", image);
        rig.start(List.of(upstream.as("docker.io")), 100);
        assertThat(rig.get("/v2/library/busybox/manifests/1").body()).isEqualTo(image.manifest());
        assertThat(rig.get(layerOf("library/busybox", image)).body()).isEqualTo(image.layer());
        awaitKept(image.layer());
        upstream.close();
        assertThat(rig.get("/v2/library/busybox/manifests/1").body()).isEqualTo(image.manifest());
        assertThat(rig.get(layerOf("library/busybox", image)).body()).isEqualTo(image.layer());
    }

    /** The registry keeps a blob beside answering. */
    private void awaitKept(String blob) throws InterruptedException {
        String file = "/" + digest(blob).substring("sha256:".length()) + "/data " + digest(blob);
        RegistryRig.await("the blob is kept", () -> {
            try {
                return rig.stored().stream().anyMatch(each -> each.endsWith(file));
            } catch (IOException e) {
                return false; // files move just now
            }
        });
    }

    @Test
    void anotherUpstreamsImagesAreFoundByItsNameAndNoOthers() throws Exception {
        upstream.has("org/app", "1", image);
        rig.start(List.of(upstream.as("quay.io")), 100);
        assertThat(rig.get("/v2/quay.io/org/app/manifests/1").body()).isEqualTo(image.manifest());
        for (String elsewhere :
                List.of("org/app", "ghcr.io/org/app", "docker.io/org/app", "quay.io.evil.org/org/app")) {
            assertThat(rig.get("/v2/" + elsewhere + "/manifests/1").statusCode())
                    .as(elsewhere)
                    .isEqualTo(404);
        }
    }

    @Test
    void whatIsPreloadedIsNotAskedFor() throws Exception {
        Image here = Image.of("here");
        TestArchives.oci(rig.preload.resolve("b.tar"), "busybox:1", here);
        upstream.has("library/busybox", "1", image);
        rig.start(List.of(upstream.as("docker.io")), 100);
        RegistryRig.await("it is served", () -> {
            try {
                return rig.get("/v2/library/busybox/manifests/1").body().equals(here.manifest());
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        upstream.asked.clear();
        assertThat(rig.get("/v2/library/busybox/manifests/1").body()).isEqualTo(here.manifest());
        assertThat(rig.get(layerOf("library/busybox", here)).body()).isEqualTo(here.layer());
        assertThat(upstream.asked).isEmpty();
    }

    @Test
    void nobodysCredentialsAreSentAndWhatNeedsThemIsNotThere() throws Exception {
        upstream.has("library/busybox", "1", image);
        upstream.has("org/private", "1", Image.of("secret"));
        rig.start(List.of(upstream.as("docker.io")), 100);
        String[] credentials = {
            "Authorization", "Basic dXNlcjpwYXNz", "X-Registry-Auth", "dXNlcjpwYXNz", "Cookie", "a=b"
        };
        assertThat(rig.get("/v2/library/busybox/manifests/1", credentials).statusCode())
                .isEqualTo(200);
        assertThat(upstream.asked)
                .isNotEmpty()
                .allSatisfy(each -> assertThat(each).endsWith(" null"));
        for (int refusal : new int[] {401, 403}) {
            upstream.refuses = refusal;
            HttpResponse<String> answer = rig.get("/v2/org/private/manifests/1", credentials);
            assertThat(answer.statusCode()).isEqualTo(404);
            assertThat(answer.body()).contains("MANIFEST_UNKNOWN", "org/private:1");
            assertThat(answer.headers().firstValue("WWW-Authenticate")).isEmpty();
        }
        assertThat(upstream.asked).allSatisfy(each -> assertThat(each).endsWith(" null"));
    }

    @Test
    void aMissIsToldAtOnceAndNamesTheImage() throws Exception {
        rig.start(List.of(), 100);
        long began = System.nanoTime();
        HttpResponse<String> answer = rig.get("/v2/library/gone/manifests/7");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(1));
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body())
                .isEqualTo(
                        "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"library/gone:7: it is not preloaded"
                                + " on this host, and this host passes on nothing of its registry\"}]}");
    }

    @Test
    void aSilentUpstreamIsWaitedForNoLongerThanPromised() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        upstream.has("library/busybox", "1", image);
        assertThat(RegistryFront.Limits.standard().manifest()).isLessThan(PROMISED.minusSeconds(1));
        Duration limit = Duration.ofMillis(700);
        rig.start(
                List.of(upstream.as("docker.io")),
                100,
                new RegistryFront.Limits(
                        8, Duration.ofSeconds(5), Duration.ofMinutes(1), limit, Duration.ofMinutes(1)));
        rig.get("/v2/library/gone/manifests/1"); // what is slow when it is done first, done
        upstream.gate = never;
        long began = System.nanoTime();
        HttpResponse<String> answer = rig.get("/v2/library/busybox/manifests/1");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isBetween(limit, limit.plusSeconds(1));
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).contains("its registry did not answer in time");
        never.countDown();
    }

    @Test
    void anEmptyStoreIsSwappedInOverTheLimitAndThePullThatIsUnderWayGoesOn() throws Exception {
        Image large = Image.of("x".repeat(3 << 20));
        CountDownLatch goesOn = new CountDownLatch(1);
        Image slow = Image.of("y".repeat(600_000));
        upstream.has("library/large", "1", large);
        upstream.has("library/slow", "1", slow);
        rig.start(List.of(upstream.as("docker.io")), 1);
        List<ProcessHandle> before = rig.processesOf("upstream-docker.io/store-1");
        assertThat(before).hasSize(1);

        upstream.half = goesOn;
        try (Socket guest = new Socket(InetAddress.getLoopbackAddress(), rig.port())) {
            String request = "GET %s HTTP/1.1\r\nHost: x\r\n\r\n".formatted(layerOf("library/slow", slow));
            guest.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            InputStream in = guest.getInputStream();
            String begun = new String(in.readNBytes(100_000), StandardCharsets.ISO_8859_1);
            assertThat(begun).startsWith("HTTP/1.1 200 OK");
            fill(large, before);
            goesOn.countDown();
            String rest = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
            assertThat((begun + rest).split("\r\n\r\n", 2)[1]).isEqualTo(slow.layer());
        }
        RegistryRig.await("the process before ends", () -> before.stream().noneMatch(ProcessHandle::isAlive));
        RegistryRig.await(
                "the store before goes", () -> !Files.exists(rig.folder.resolve("state/upstream-docker.io/store-1")));
        assertThat(rig.get("/v2/library/large/manifests/1").body()).isEqualTo(large.manifest());
    }

    /** Until another process serves, while the one before still gives its answer. */
    private void fill(Image large, List<ProcessHandle> before) throws Exception {
        Thread pull = new Thread(() -> {
            try {
                rig.get(layerOf("library/large", large));
            } catch (IOException | InterruptedException ended) {
                // What matters is what it left.
            }
        });
        pull.start();
        RegistryRig.await("another process serves", () -> {
            try {
                rig.get("/v2/library/large/manifests/1");
                return rig.stored().stream()
                        .anyMatch(file -> file.startsWith("state/upstream-docker.io/store-2/storage/"));
            } catch (IOException filesMove) {
                return false;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(before).allMatch(ProcessHandle::isAlive);
    }

    @Test
    void whatWasKeptOutlivesTheAgent() throws Exception {
        upstream.has("library/busybox", "1", image);
        HostRegistry first = rig.start(List.of(upstream.as("docker.io")), 100);
        rig.get("/v2/library/busybox/manifests/1");
        rig.get(layerOf("library/busybox", image));
        awaitKept(image.layer());
        first.close();
        upstream.refuses = 503;
        rig.start(List.of(upstream.as("docker.io")), 100);
        assertThat(rig.get(layerOf("library/busybox", image)).body()).isEqualTo(image.layer());
    }
}
