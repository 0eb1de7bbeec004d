package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Jobs without the tag {@code shell} run in a container of their image, beside their services. */
@Tag(SystemTests.LONG)
final class DockerJobIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    /** An engine's first start, a pull and a container's start take their time under emulation. */
    private static final Duration PATIENCE = Duration.ofMinutes(8);

    private static final String REGISTRY = DemoCluster.registry();

    @Test
    void aJobRunsInItsImageWithItsServiceAndHandsArtifactsOn() {
        PipelineRun run = CLUSTER.push(
                """
                stages: [build, test]
                build:
                  image: %1$s/test/busybox:1
                  tags: [actuated-2cpu-1536mb]
                  script:
                    - test ! -e /etc/debian_version && echo "shell=$(readlink /proc/$$/exe) user=$(id -u) dir=$PWD"
                    - nslookup -type=a %2$s
                    - mkdir -m 700 out && echo "made in $CI_JOB_NAME" > out/it.txt && chmod 600 out/it.txt
                    - (exit 0)
                  after_script:
                    - echo "after $CI_JOB_STATUS"
                  artifacts: {paths: [out/]}
                test:
                  stage: test
                  needs: [build]
                  image: {name: %1$s/test/busybox:1, entrypoint: [""], pull_policy: if-not-present, docker: {user: nobody}}
                  services:
                    - {name: %1$s/test/hello:1, alias: greeter, variables: {GREETING: the service, DELAY: "3"}}
                    - %1$s/test/silent:1
                  tags: [actuated-2cpu-1536mb]
                  script:
                    - id -u
                    - ls -ld .
                    - echo "written by $(id -u)" > by-nobody
                    - wget -q -O - http://greeter:8080/ http://gitlab.mayfly.test__test__hello:8080/
                """.formatted(REGISTRY, DemoCluster.GITLAB_NAME), Map.of("README", "from the repository\n"));
        run.awaitEnd(PATIENCE, () -> {});

        JobState build = run.job("build");
        assertThat(build.status()).as(run.log(build)).isEqualTo("success");
        assertThat(run.log(build))
                .contains("shell=/usr/bin/busybox user=0 dir=/builds/", "after success", "Using docker image sha256:");
        assertThat(build.text("executor")).isEqualTo("DOCKER");
        JobState test = run.job("test");
        assertThat(test.status()).as(run.log(test)).isEqualTo("success");
        assertThat(run.log(test))
                .contains("\n65534\n", "hello from the service\nhello from the service\n")
                .contains("test/silent:1 probably didn't start properly", "the service gives up");
    }

    @Test
    void aShellJobBuildsAnImageAndPushesItAndAJobRunsInIt() {
        PipelineRun run = CLUSTER.push("""
                stages: [build, test]
                build:
                  stage: build
                  tags: [actuated-2cpu-1536mb, shell]
                  script:
                    - docker info --format '{{.Driver}} cgroup v{{.CgroupVersion}} {{.CgroupDriver}}'
                    - printf 'FROM %1$s/test/busybox:1\\nRUN echo baked > /baked\\nENTRYPOINT ["/bin/env", "BY=entrypoint"]\\n' > Dockerfile
                    - docker build -t %1$s/test/mine:$CI_PIPELINE_ID .
                    - docker push %1$s/test/mine:$CI_PIPELINE_ID
                test:
                  stage: test
                  image: %1$s/test/mine:$CI_PIPELINE_ID
                  tags: [actuated-2cpu-1536mb]
                  script:
                    - echo "$(cat /baked) $BY"
                """.formatted(REGISTRY));
        run.awaitEnd(PATIENCE, () -> {});
        JobState build = run.job("build");
        assertThat(run.log(build)).contains("overlay2 cgroup v2 systemd");
        JobState test = run.job("test");
        assertThat(test.status()).as(run.log(test)).isEqualTo("success");
        assertThat(run.log(test)).contains("\nbaked entrypoint\n");
    }

    @Test
    void anEngineInAServiceBuildsAndRunsAnImage() {
        PipelineRun run = CLUSTER.push("""
                nested:
                  image: %1$s/test/docker:1
                  services: [{name: "%1$s/test/docker:1", alias: docker}]
                  variables: {DOCKER_HOST: "tcp://docker:2375"}
                  tags: [actuated-2cpu-2gb]
                  script:
                    - docker info --format 'inner {{.Driver}}'
                    - cp /bin/busybox . && printf 'FROM scratch\\nCOPY busybox /busybox\\nCMD ["/busybox", "echo", "from the inside"]\\n' > Dockerfile
                    - docker build -q -t mine .
                    - docker run --rm mine
                """.formatted(REGISTRY));
        JobState nested = ClusterExtension.awaitStatus(run, "nested", "success", PATIENCE);
        assertThat(run.log(nested)).contains("inner overlay2", "from the inside");
    }

    @Test
    void anImageThatCantBePulledFailsTheJobByItsName() {
        PipelineRun run = CLUSTER.push("""
                gone:
                  image: %s/test/gone:7
                  tags: [actuated-2cpu-1536mb]
                  script: [echo never]
                """.formatted(REGISTRY));
        JobState gone = ClusterExtension.awaitStatus(run, "gone", "failed", PATIENCE);
        assertThat(gone.inGitLab().path("failure_reason").asText()).isEqualTo("image_pull_failure");
        assertThat(run.log(gone)).contains("failed to pull image \"" + REGISTRY + "/test/gone:7\"", "manifest unknown");
    }

    @Test
    void aContainerIsEndedWithItsJobByACancelAndWhenItsTimeIsOver() {
        PipelineRun run = CLUSTER.push("""
                cancelled:
                  image: %1$s/test/busybox:1
                  tags: [actuated-2cpu-1536mb]
                  script: [echo "script begins", sleep 600]
                  after_script:
                    - echo "after $CI_JOB_STATUS, sleepers=$(ps | grep -c '[s]leep 600')"
                late:
                  image: %1$s/test/busybox:1
                  tags: [actuated-2cpu-1536mb]
                  timeout: 150 seconds
                  script: [echo "script begins", sleep 600]
                """.formatted(REGISTRY));
        run.cancel(ClusterExtension.awaitLog(run, "cancelled", "script begins\n"));
        JobState cancelled = ClusterExtension.awaitStatus(run, "cancelled", "canceled", Duration.ofMinutes(2));
        if (System.getenv("MAYFLY_RUNNER").equals("embedded")) {
            assertThat(run.log(cancelled)).contains("after canceled, sleepers=0");
        } // 15.4.2, the official one, is older than cancelling with grace
        JobState late = ClusterExtension.awaitStatus(run, "late", "failed", PATIENCE);
        assertThat(late.reason()).isEqualTo("job_execution_timeout");
        assertThat(run.log(late)).contains("script begins\n", "execution took longer than");
        assertThat(ClusterExtension.timeOf(late)).isBetween(Duration.ofSeconds(150), Duration.ofSeconds(190));
    }
}
