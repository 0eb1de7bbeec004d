package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a job can reach: GitLab on its private address, its host's registry, and nothing else private, of the host, or of another VM. */
final class GuestCannotReachIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final int RELAY_PORT = 8169;

    @Test
    void onlyGitLabIsReachedOnPrivateAddresses() {
        DemoCluster cluster = CLUSTER.cluster();
        PipelineRun neighbour = CLUSTER.push("""
                neighbour:
                  tags: [actuated-1cpu-1gb, shell]
                  script: [echo "script begins", sleep 600]
                """);
        JobState other = ClusterExtension.awaitLog(neighbour, "neighbour", "script begins\n");
        String otherVm = Objects.requireNonNull(other.vm()).id();
        String host = Objects.requireNonNull(other.vm()).host();
        String otherRelay = Hosts.cableOf(cluster, Hosts.number(host), otherVm);
        Map<String, String> targets = Map.of(
                "control-plane", URI.create(cluster.apiUrl()).getAuthority().replace(':', '/'),
                "temporal", cluster.temporalTarget().replace(':', '/'),
                "temporal-ui",
                        URI.create(cluster.temporalUiUrl()).getAuthority().replace(':', '/'),
                "other-relay", otherRelay + "/" + RELAY_PORT);
        targets.values()
                .forEach(target -> assertThat(Hosts.reaches(cluster, Hosts.number(host), target))
                        .as("the host itself reaches %s, so that a guest's failure means something", target)
                        .isTrue());
        StringBuilder tries = new StringBuilder();
        targets.forEach((name, target) -> tries.append("    - try %s %s\n".formatted(name, target)));
        PipelineRun run = CLUSTER.push("""
                prisoner:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - try() { timeout 3 bash -c "exec 3<>/dev/tcp/$2" 2>/dev/null && echo "$1 reached" || echo "$1 blocked"; }
                    - try gitlab gitlab.mayfly.test/443
                    - try own-relay 169.254.169.254/80
                    - try own-host-ssh $(ip route show default | cut -d' ' -f3)/22
                    - try own-host-relay $(ip route show default | cut -d' ' -f3)/%d
                    - try registry 169.254.169.253/80
                    - try registry-host-ssh 169.254.169.253/22
                    - try metadata 169.254.169.252/80
                %s""".formatted(RELAY_PORT, tries));
        JobState job = ClusterExtension.awaitStatus(run, "prisoner", "success", Duration.ofMinutes(4));
        assertThat(Objects.requireNonNull(job.vm()).host()).isEqualTo(host);
        assertThat(run.log(job)).contains("gitlab reached", "own-relay reached", "\nregistry reached");
        assertThat(run.log(job))
                .contains(
                        "own-host-ssh blocked",
                        "own-host-relay blocked",
                        "registry-host-ssh blocked",
                        "metadata blocked");
        targets.keySet().forEach(name -> assertThat(run.log(job)).contains(name + " blocked"));
        neighbour.cancel(other);
        ClusterExtension.awaitStatus(neighbour, "neighbour", "canceled", Duration.ofMinutes(1));
    }
}
