package dev.mayfly.agent.registry;

import static dev.mayfly.agent.registry.TestArchives.digest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.registry.TestArchives.Image;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** With real registry processes. */
class PreloadedImagesTest {

    private final RegistryRig rig = newRig();

    private static RegistryRig newRig() {
        try {
            return new RegistryRig();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @AfterEach
    void end() throws IOException {
        rig.close();
        assertThat(rig.processes()).as("processes that outlive it").isEmpty();
    }

    @Test
    void anImageIsServedByItsNameWhoseRegistryStandsBeforeItUnlessThatIsDockerHub() throws Exception {
        Image hub = Image.of("a layer");
        Image other = Image.of("another layer");
        TestArchives.oci(rig.preload.resolve("busybox.tar"), "docker.io/library/busybox:1", hub);
        TestArchives.oci(rig.preload.resolve("app.tar"), "quay.io/org/app:2.0", other);
        rig.start(List.of(), 1);

        HttpResponse<String> manifest = rig.awaitImage("/v2/library/busybox/manifests/1");
        assertThat(manifest.body()).isEqualTo(hub.manifest());
        assertThat(manifest.headers().firstValue("Docker-Content-Digest")).contains(digest(hub.manifest()));
        assertThat(manifest.headers().firstValue("Content-Type")).contains(TestArchives.MANIFEST);
        assertThat(rig.get("/v2/library/busybox/blobs/" + digest(hub.layer())).body())
                .isEqualTo(hub.layer());
        assertThat(rig.get("/v2/library/busybox/blobs/" + digest(hub.config())).body())
                .isEqualTo(hub.config());
        assertThat(rig.get("/v2/quay.io/org/app/manifests/" + digest(other.manifest()))
                        .body())
                .isEqualTo(other.manifest());
        HttpResponse<String> look = rig.ask("HEAD", "/v2/library/busybox/manifests/1");
        assertThat(look.statusCode()).isEqualTo(200);
        assertThat(look.headers().firstValue("Content-Length"))
                .contains(Integer.toString(hub.manifest().length()));
    }

    @Test
    void whatDockerSavedIsServedWithTheManifestThatItLacks() throws Exception {
        Image image = Image.of("saved");
        TestArchives.dockerSave(rig.preload.resolve("saved.tar"), "busybox:1", image);
        rig.start(List.of(), 1);

        HttpResponse<String> manifest = rig.awaitImage("/v2/library/busybox/manifests/1");
        assertThat(manifest.body())
                .contains("\"digest\":\"" + digest(image.config()) + "\"")
                .contains("\"size\":5,\"digest\":\"" + digest(image.layer()) + "\"");
        assertThat(manifest.headers().firstValue("Content-Type"))
                .contains("application/vnd.docker.distribution.manifest.v2+json");
        assertThat(rig.get("/v2/library/busybox/blobs/" + digest(image.layer())).body())
                .isEqualTo(image.layer());
    }

    @Test
    void whatIsPutIntoTheFolderOrTakenOutOfItIsServedOrNotWithoutARestart() throws Exception {
        TestArchives.oci(rig.preload.resolve("one.tar"), "one:1", Image.of("one"));
        rig.start(List.of(), 1);
        rig.awaitImage("/v2/library/one/manifests/1");

        Image changed = Image.of("changed");
        TestArchives.oci(rig.preload.resolve("one.tar"), "one:1", changed);
        TestArchives.oci(rig.preload.resolve("two.tar"), "two:1", Image.of("two"));
        rig.awaitImage("/v2/library/two/manifests/1");
        assertThat(rig.get("/v2/library/one/manifests/1").body()).isEqualTo(changed.manifest());

        Files.delete(rig.preload.resolve("two.tar"));
        RegistryRig.await("two is gone", () -> status("/v2/library/two/manifests/1") == 404);
        assertThat(status("/v2/library/one/manifests/1")).isEqualTo(200);
        RegistryRig.await("stores before are gone", () -> {
            try {
                return rig.stored().stream()
                        .noneMatch(file -> file.contains(digest("two").substring(7)));
            } catch (IOException e) {
                return false; // one goes just now
            }
        });
    }

    private int status(String path) {
        try {
            return rig.get(path).statusCode();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aDamagedArchiveKeepsNoOtherFromBeingServed() throws Exception {
        Image right = Image.of("right");
        Path layer = Path.of("blobs/sha256", digest(right.layer()).substring(7));
        TestArchives.oci(
                rig.preload.resolve("a.tar"), "lacking:1", right, folder -> Files.delete(folder.resolve(layer)));
        TestArchives.oci(
                rig.preload.resolve("b.tar"),
                "damaged:1",
                right,
                folder -> Files.writeString(folder.resolve(layer), "wrong"));
        Files.writeString(rig.preload.resolve("c-no-archive.tar"), "this is no archive");
        TestArchives.packed(rig.preload.resolve("d-leads-out.tar"), folder -> {
            Files.writeString(
                    folder.resolve("manifest.json"),
                    "[{\"Config\":\"secret\",\"RepoTags\":[\"out:1\"],\"Layers\":[]}]");
            Files.createSymbolicLink(folder.resolve("secret"), Path.of("/etc/shadow"));
        });
        TestArchives.oci(rig.preload.resolve("e-good.tar"), "good:1", Image.of("good"));
        rig.start(List.of(), 1);

        rig.awaitImage("/v2/library/good/manifests/1");
        assertThat(status("/v2/library/lacking/manifests/1")).isEqualTo(404);
        assertThat(status("/v2/library/damaged/manifests/1")).isEqualTo(404);
        assertThat(status("/v2/library/out/manifests/1")).isEqualTo(404);
    }

    @Test
    void aProcessThatEndsIsStartedAnew() throws Exception {
        TestArchives.oci(rig.preload.resolve("one.tar"), "one:1", Image.of("one"));
        rig.start(List.of(), 1);
        rig.awaitImage("/v2/library/one/manifests/1");
        List<ProcessHandle> before = rig.processes();
        assertThat(before).hasSize(1);
        before.forEach(ProcessHandle::destroyForcibly);
        rig.awaitImage("/v2/library/one/manifests/1");
        assertThat(rig.processes()).hasSize(1).doesNotContainAnyElementsOf(before);
    }
}
