package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A job that fills its disk, floods its console and opens connections without end harms no neighbour. */
@Tag(SystemTests.LONG)
final class NoisyGuestIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void theNeighbourOnTheSameHostIsUnharmed() {
        PipelineRun run = CLUSTER.push("""
                noisy:
                  tags: [actuated-1cpu-1gb, shell]
                  allow_failure: true
                  script:
                    - echo "script begins"
                    - dd if=/dev/zero of=fill bs=1M count=20000 2>/dev/null || echo "disk is full"
                    - rm -f fill
                    - sudo timeout 20 sh -c 'yes floods-the-console > /dev/console' || echo "console was flooded"
                    - |
                      python3 - <<'PYTHON'
                      import socket
                      for i in range(100000):
                          s = socket.socket()
                          s.setblocking(False)
                          try:
                              s.connect(("10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255), 80))
                          except OSError:
                              pass
                          s.close()
                      print("connections were tried")
                      PYTHON
                neighbour:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - for i in $(seq 60); do echo "line $i"; sleep 1; done
                    - git ls-remote "$CI_REPOSITORY_URL" HEAD > /dev/null
                    - dd if=/dev/zero of=some bs=1M count=200 2>/dev/null
                """);
        JobState neighbour = ClusterExtension.awaitStatus(run, "neighbour", "success", Duration.ofMinutes(6));
        JobState noisy = ClusterExtension.awaitStatus(run, "noisy", "success", Duration.ofMinutes(6));
        assertThat(Objects.requireNonNull(noisy.vm()).host())
                .isEqualTo(Objects.requireNonNull(neighbour.vm()).host());
        assertThat(run.log(noisy)).contains("disk is full", "console was flooded", "connections were tried");
    }
}
