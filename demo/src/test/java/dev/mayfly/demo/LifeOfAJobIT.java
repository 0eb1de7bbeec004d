package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A pushed pipeline runs in VMs of the sizes that its tags ask for, hands artifacts on, and leaves nothing. */
final class LifeOfAJobIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final Duration PATIENCE = Duration.ofMinutes(4);

    @Test
    void aPipelineRunsInVmsOfTheSizesThatItsTagsAskFor() {
        PipelineRun run = CLUSTER.push("""
                stages: [build, test]
                build:
                  stage: build
                  tags: [actuated-2cpu-1536mb, shell]
                  variables:
                    SETTINGS: {value: "", description: "unused"}
                  script:
                    - echo "cpus=$(nproc) mem=$(awk '/MemTotal/ {print int($2/1024)}' /proc/meminfo)"
                    - sudo id -u
                    - mkdir -p out && echo "made in $CI_JOB_NAME" > out/it.txt
                  artifacts: {paths: [out/]}
                test:
                  stage: test
                  needs: [build]
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - cat out/it.txt README
                  after_script:
                    - echo "after $CI_JOB_STATUS"
                """, Map.of("README", "from the repository\n"));
        run.awaitEnd(PATIENCE, () -> {});

        JobState build = run.job("build");
        assertThat(build.status()).as(run.log(build)).isEqualTo("success");
        assertThat(run.log(build))
                .contains("cpus=2")
                .containsPattern("mem=15[0-9][0-9]")
                .contains("\n0\n");
        JobState test = run.job("test");
        assertThat(test.status()).as(run.log(test)).isEqualTo("success");
        assertThat(run.log(test)).contains("made in build", "from the repository", "after success");
        assertThat(build.vm()).isNotNull().satisfies(vm -> {
            assertThat(vm.vcpus()).isEqualTo(2);
            assertThat(vm.memoryMib()).isEqualTo(1536);
        });
        assertThat(test.vm()).isNotNull().isNotEqualTo(build.vm());
    }

    @Test
    void aJobThatAsksForMoreThanAnyHostHasIsRefusedWithAReason() {
        PipelineRun run = CLUSTER.push("""
                giant:
                  tags: [actuated-30cpu-60gb, shell]
                  script: [echo never]
                """);
        JobState giant = ClusterExtension.awaitStatus(run, "giant", "refused", Duration.ofSeconds(30));
        assertThat(giant.reason()).contains("30c/60g");
        assertThat(giant.inGitLab().get("status").asText()).isEqualTo("pending");
        run.cancel(giant);
    }

    @Test
    void aConfigurationThatGitLabCantUseIsReportedAtOnce() {
        assertThatThrownBy(() -> CLUSTER.push("broken:\n  stage: nowhere\n  script: [echo never]\n"))
                .hasMessageContaining(".gitlab-ci.yml")
                .hasMessageContaining("nowhere");
    }

    @Test
    void jobsWithoutOurTagAreNoneOfOurBusiness() {
        PipelineRun run = CLUSTER.push("""
                theirs:
                  tags: [some-other-runner]
                  script: [echo never]
                ours:
                  tags: [actuated-1cpu-1gb, shell]
                  script: [echo ours]
                """);
        ClusterExtension.awaitStatus(run, "ours", "success", PATIENCE);
        JobState theirs = run.job("theirs");
        assertThat(theirs.vm()).isNull();
        assertThat(theirs.inGitLab().get("status").asText()).isEqualTo("pending");
        run.cancel(theirs);
    }
}
