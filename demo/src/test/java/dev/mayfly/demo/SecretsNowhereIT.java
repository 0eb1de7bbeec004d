package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** No token that GitLab or this installation ever issued is found in Temporal's history, the database, logs, command
 * lines, the REST API, or what a host keeps after a VM is gone. */
final class SecretsNowhereIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void noTokenIsFoundWhereItHasNoBusiness() {
        DemoCluster cluster = CLUSTER.cluster();
        PipelineRun run = CLUSTER.push("""
                secretive:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - echo "script begins"
                    - echo "the token is $CI_JOB_TOKEN"
                    - echo "${#CI_JOB_TOKEN} characters"
                    - until [ -e /tmp/never ] || [ "$((i=i+1))" = 20 ]; do sleep 1; done
                """);
        ClusterExtension.awaitLog(run, "secretive", " characters");
        List<String> tokens = new ArrayList<>(cluster.gitlabUser().tokensIssued());
        tokens.addAll(cluster.files().secretsOf(cluster.options().hosts()));
        assertThat(tokens).as("tokens to look for").hasSizeGreaterThan(6);
        List<String> commands =
                ProcessHandle.allProcesses().map(Processes::commandLine).toList();
        assertThat(commands)
                .as("command lines")
                .noneSatisfy(command -> assertThat(tokens)
                        .anySatisfy(token -> assertThat(command).contains(token)));
        ClusterExtension.awaitStatus(run, "secretive", "success", Duration.ofMinutes(3));
        ClusterExtension.awaitPhase(run, "secretive", "done");
        assertThat(run.log(run.job("secretive"))).contains("the token is [MASKED]");
        assertThat(cluster.controlPlane().text("/api/v1/jobs?perPage=200"))
                .satisfies(text ->
                        assertThat(tokens).noneSatisfy(token -> assertThat(text).contains(token)));
        tokens.addAll(cluster.gitlabUser().tokensIssued());
        Path patterns = cluster.options().work().resolve("secrets/all-tokens");
        Servers.write(patterns, String.join("\n", tokens) + "\n");
        assertThat(grep(patterns, cluster))
                .as("files with a token in the clear")
                .isEmpty();
    }

    /** Everything that the cluster wrote, but for the secrets that were given to it, and GitLab's own data. */
    private static List<String> grep(Path patterns, DemoCluster cluster) {
        Database.count(cluster, "SELECT 1 FROM (SELECT pg_switch_wal()) AS flushed");
        Shell.Result found = Shell.tryRun(List.of(
                "grep",
                "--recursive",
                "--files-with-matches",
                "--fixed-strings",
                "--binary-files=text",
                "--exclude-dir=secrets",
                "--exclude-dir=gitlab",
                "--file=" + patterns,
                cluster.options().work().toString(),
                cluster.network().runFolder().toString()));
        return found.output().lines().toList();
    }
}
