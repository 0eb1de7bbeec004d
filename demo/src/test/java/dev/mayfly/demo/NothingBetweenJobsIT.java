package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two jobs one after the other on one host share nothing: no file, process, docker image, identity or randomness. */
@Tag(SystemTests.LONG)
final class NothingBetweenJobsIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final String LOOK = """
                    - echo "files=$(ls /var/tmp/mark ~/mark $CI_PROJECT_DIR/../mark 2>/dev/null | wc -l)"
                    - echo "processes=$(pgrep -fc [l]eft-behind || true)"
                    - echo "images=$(sudo docker images -q | wc -l)"
                    - echo "machine=$(cat /etc/machine-id)"
                    - echo "boot=$(cat /proc/sys/kernel/random/boot_id)"
                    - echo "random=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' ')"
                """;

    @Test
    void theSecondFindsNothingOfTheFirst() {
        PipelineRun run = CLUSTER.push("""
                stages: [one, two]
                first:
                  stage: one
                  tags: [actuated-2cpu-2gb, shell]
                  script:
                %s    - touch ~/mark $CI_PROJECT_DIR/../mark && sudo touch /var/tmp/mark
                    - (exec -a left-behind sleep 3600) > /dev/null 2>&1 &
                    - echo layer > layer && tar -c layer | sudo docker import - left/behind > /dev/null
                    - echo "made=$(ls /var/tmp/mark ~/mark | wc -l),$(pgrep -fc [l]eft-behind),$(sudo docker images -q | wc -l)"
                second:
                  stage: two
                  tags: [actuated-2cpu-2gb, shell]
                  script:
                %s""".formatted(LOOK, LOOK));
        JobState second = ClusterExtension.awaitStatus(run, "second", "success", Duration.ofMinutes(5));
        JobState first = run.job("first");
        assertThat(run.log(first)).as("what the first left").contains("made=2,1,1");
        assertThat(Objects.requireNonNull(first.vm()).host())
                .isEqualTo(Objects.requireNonNull(second.vm()).host());
        assertThat(run.log(second)).contains("files=0", "processes=0", "images=0");
        for (String what : List.of("machine", "boot", "random")) {
            assertThat(value(run, second, what)).as(what).isNotEqualTo(value(run, first, what));
        }
    }

    private static String value(PipelineRun run, JobState job, String name) {
        return ClusterExtension.inLog(run, job, name + "=(\\S{16,})");
    }
}
