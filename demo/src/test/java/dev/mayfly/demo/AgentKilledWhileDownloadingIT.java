package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** kill -9 of the agent while a big artifact comes down, away for 15 s: the job ends once, green. */
@Tag(SystemTests.LONG)
final class AgentKilledWhileDownloadingIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void theTransferIsFinishedAfterwards() {
        PipelineRun run = CLUSTER.push("""
                stages: [build, test]
                build:
                  stage: build
                  tags: [actuated-2cpu-1gb, shell]
                  script: [head -c %1$dM /dev/urandom > big, sha256sum big]
                  artifacts: {paths: [big]}
                test:
                  stage: test
                  tags: [actuated-2cpu-1gb, shell]
                  script: [sha256sum big]
                """.formatted(SystemTests.BIG_ARTIFACT_MIB));
        JobState job = ClusterExtension.await(
                run,
                "test",
                "downloads",
                Duration.ofMinutes(6),
                state -> run.log(state).contains("Downloading artifacts"));
        int host = Hosts.number(Objects.requireNonNull(job.vm()).host());
        CLUSTER.cluster().hosts().agent(host).kill();
        Hosts.stayAway(Duration.ofSeconds(15));
        CLUSTER.cluster().hosts().startAgent(host);
        JobState test = ClusterExtension.awaitStatus(run, "test", "success", Duration.ofMinutes(6));
        assertThat(digest(run.log(test))).isEqualTo(digest(run.log(run.job("build"))));
        assertThat(run.jobs()).hasSize(2);
    }

    private static String digest(String log) {
        Matcher found = Pattern.compile("(?m)^([0-9a-f]{64})  big$").matcher(log);
        assertThat(found.find()).as(log).isTrue();
        return found.group(1);
    }
}
