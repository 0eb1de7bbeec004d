package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Objects;

/** A pipeline whose one job hands an artifact to the other that is big enough for its transfer to be interrupted. */
final class BigArtifact {

    private static final Duration PATIENCE = Duration.ofMinutes(6);

    private final ClusterExtension extension;
    private final PipelineRun run;

    private BigArtifact(ClusterExtension extension, PipelineRun run) {
        this.extension = extension;
        this.run = run;
    }

    static BigArtifact push(ClusterExtension extension) {
        return new BigArtifact(extension, extension.push("""
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
                """.formatted(SystemTests.BIG_ARTIFACT_MIB)));
    }

    /** kill -9 of the job's agent once its log says so, away for 15 s; both jobs end once, green, with one content. */
    void losesTheAgentWhile(String name, String does, String logSays) {
        JobState job = ClusterExtension.await(
                run, name, does, PATIENCE, state -> run.log(state).contains(logSays));
        DemoHosts hosts = extension.cluster().hosts();
        int host = Hosts.number(Objects.requireNonNull(job.vm()).host());
        hosts.agent(host).kill();
        Hosts.stayAway(Duration.ofSeconds(15));
        hosts.startAgent(host);
        JobState test = ClusterExtension.awaitStatus(run, "test", "success", PATIENCE);
        assertThat(digest(test)).isEqualTo(digest(run.job("build")));
        assertThat(run.jobs()).hasSize(2);
    }

    private String digest(JobState job) {
        return ClusterExtension.inLog(run, job, "([0-9a-f]{64})  big");
    }
}
