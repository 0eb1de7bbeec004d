package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A host whose guest image is gone: its agent says so, and the job runs elsewhere. */
final class ImageMissingIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void theJobRunsOnAHostThatHasIt() throws IOException {
        Path image = CLUSTER.cluster().files().image(1);
        Path away = image.resolveSibling("image-away");
        Hosts.drain(CLUSTER.cluster(), 2);
        Files.move(image, away);
        try {
            PipelineRun run = CLUSTER.push("""
                    wanders:
                      tags: [actuated-1cpu-1gb, shell]
                      script: [echo "runs here"]
                    """);
            Waiting.until(
                    "the agent of host-1 says what is missing",
                    Duration.ofMinutes(1),
                    () -> Servers.read(CLUSTER.cluster().files().log("agent-1")).contains("rootfs.ext4 is missing"));
            Hosts.undrain(CLUSTER.cluster(), 2);
            var ended = ClusterExtension.awaitStatus(run, "wanders", "success", Duration.ofMinutes(3));
            assertThat(Objects.requireNonNull(ended.vm()).host()).isEqualTo("host-2");
        } finally {
            Files.move(away, image);
            Hosts.undrain(CLUSTER.cluster(), 2);
        }
    }
}
