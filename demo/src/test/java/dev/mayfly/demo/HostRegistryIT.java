package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Docker jobs get images of docker.io from their host: {@code busybox:1} is preloaded there, what is below {@code test/}
 * passes through. Nothing else has those names, for guests reach no docker.io here.
 */
@Tag(SystemTests.LONG)
final class HostRegistryIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final Duration PATIENCE = Duration.ofMinutes(8);
    private static final long PROMISED_MILLIS = 5000;

    @Test
    void aJobsImageIsPreloadedItsServicePassesThroughAndNoJobBeforeItChangedThem() {
        PipelineRun run = CLUSTER.push("""
                stages: [poison, use]
                poison:
                  stage: poison
                  tags: [actuated-2cpu-1536mb, shell]
                  script:
                    - registry=http://169.254.169.253/v2; evil=sha256:$(printf evil | sha256sum | cut -d' ' -f1)
                    - say() { echo "$1 $(curl -s -o /dev/null -w '%{http_code}' --path-as-is "${@:2}")"; }
                    - say put -X PUT -H 'Content-Type:application/vnd.docker.distribution.manifest.v2+json' --data-binary '{"schemaVersion":2}' $registry/library/busybox/manifests/1
                    - say post -X POST "$registry/library/busybox/blobs/uploads/?digest=$evil" --data-binary evil
                    - say delete -X DELETE $registry/library/busybox/manifests/1
                    - say climb "$registry/library/busybox/../../../../etc/passwd"
                    - docker pull busybox:1
                    - docker tag busybox:1 registry.mayfly.internal/library/busybox:1
                    - if docker push registry.mayfly.internal/library/busybox:1; then echo pushed; else echo refused; fi
                    - began=$(date +%s%3N); docker pull nosuch:7 || echo "missed after $(($(date +%s%3N) - began)) ms"
                use:
                  stage: use
                  image: busybox:1
                  services: [{name: "test/hello:1", alias: greeter}]
                  tags: [actuated-2cpu-1536mb]
                  script:
                    - wget -q -O - http://greeter:8080/
                    - test ! -e /etc/debian_version && echo "in busybox"
                """);
        run.awaitEnd(PATIENCE, () -> {});
        JobState poison = run.job("poison");
        assertThat(poison.status()).as(run.log(poison)).isEqualTo("success");
        assertThat(run.log(poison))
                .contains("\nput 405\n", "\npost 405\n", "\ndelete 405\n", "\nclimb 404\n", "\nrefused\n");
        long missed = Long.parseLong(ClusterExtension.inLog(run, poison, "missed after (\\d+) ms"));
        System.out.println("a miss took " + missed + " ms in the VM");
        assertThat(missed).as("a miss where no upstream has it").isLessThan(PROMISED_MILLIS);
        JobState use = run.job("use");
        assertThat(use.status()).as(run.log(use)).isEqualTo("success");
        assertThat(run.log(use)).contains("hello from a service\n", "in busybox");
    }

    @Test
    void anImageThatNoRegistryHasFailsTheJobByItsName() {
        PipelineRun run = CLUSTER.push("""
                gone:
                  image: nosuch:7
                  tags: [actuated-2cpu-1536mb]
                  script: [echo never]
                """);
        JobState gone = ClusterExtension.awaitStatus(run, "gone", "failed", PATIENCE);
        assertThat(gone.inGitLab().path("failure_reason").asText()).isEqualTo("image_pull_failure");
        assertThat(run.log(gone)).contains("failed to pull image \"nosuch:7\"");
    }

    @Test
    void registriesEndWithTheirAgentAndAreThereAgainWithTheNext() {
        List<String> both = List.of("preloaded", "upstream-docker.io");
        assertThat(registries()).containsExactlyElementsOf(both);
        CLUSTER.cluster().hosts().agent(1).kill();
        Waiting.until("they ended", Duration.ofSeconds(10), () -> registries().isEmpty());
        CLUSTER.cluster().hosts().startAgent(1);
        // Its host may still count as ready from before.
        Waiting.until(
                "they are there again",
                Duration.ofMinutes(1),
                () -> registries().equals(both));
    }

    /** Of the first host, by what they serve. */
    private static List<String> registries() {
        Path folder = CLUSTER.cluster().options().work().resolve("host-1/state/registry");
        return ProcessHandle.allProcesses()
                .map(process -> Path.of("/proc", Long.toString(process.pid()), "cwd"))
                .map(HostRegistryIT::target)
                .filter(cwd -> cwd.startsWith(folder))
                .map(cwd -> cwd.getName(folder.getNameCount()).toString())
                .sorted()
                .toList();
    }

    private static Path target(Path link) {
        try {
            return Files.readSymbolicLink(link);
        } catch (IOException ended) {
            return Path.of("/");
        }
    }
}
