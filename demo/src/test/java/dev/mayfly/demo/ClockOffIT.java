package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A host whose clock is ten minutes off: it is said, and harms neither the host's lease nor any job. */
final class ClockOffIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    /** Without git: a guest has its host's clock, and GitLab's certificate here is younger than ten minutes. */
    private static final String DATE = """
            date:
              tags: [actuated-1cpu-1gb, shell]
              variables: {GIT_STRATEGY: none}
              script: [date]
            """;

    @Test
    void aClockThatJumpsIsSaidAndJobsGoOn(@TempDir Path folder) throws IOException {
        DemoCluster cluster = CLUSTER.cluster();
        Path clock = folder.resolve("clock");
        Files.writeString(clock, "+0s");
        long epoch = Hosts.shown(cluster, 1).path("epoch").asLong();
        Hosts.drain(cluster, 2);
        cluster.hosts().agent(1).close();
        cluster.hosts().startAgent(1, clockIn(clock));
        try {
            PipelineRun across = CLUSTER.push("""
                    across:
                      tags: [actuated-1cpu-1gb, shell]
                      script: [echo "script begins", sleep 30]
                    """);
            ClusterExtension.awaitLog(across, "across", "script begins\n");
            assertThat(problems()).doesNotContain("clock");

            Files.writeString(clock, "+600s");
            awaitProblem("s ahead of the control plane's; have both set by NTP");
            PipelineRun ahead = CLUSTER.push(DATE);
            ClusterExtension.awaitStatus(ahead, "date", "success", PATIENCE);
            ClusterExtension.awaitStatus(across, "across", "success", PATIENCE);
            assertThat(Database.slotsThatClaimed(cluster, across)).isEqualTo(1);

            Files.writeString(clock, "-600s");
            awaitProblem("s behind the control plane's; have both set by NTP");
            PipelineRun behind = CLUSTER.push(DATE);
            ClusterExtension.awaitStatus(behind, "date", "success", PATIENCE);

            Files.writeString(clock, "+0s");
            Waiting.until(
                    "the clock is right again", PATIENCE, () -> !problems().contains("clock"));
            assertThat(Hosts.shown(cluster, 1).path("epoch").asLong()).isEqualTo(epoch);
        } finally {
            cluster.hosts().agent(1).close();
            cluster.hosts().startAgent(1);
            Hosts.undrain(cluster, 2);
        }
    }

    private static String problems() {
        return Hosts.shown(CLUSTER.cluster(), 1).path("problems").toString();
    }

    private static void awaitProblem(String text) {
        Waiting.until("its host's problem " + text, PATIENCE, () -> problems().contains(text));
    }

    /** What lets a process see the time that the file says, looked at each second, but no shorter or longer seconds. */
    private static Map<String, String> clockIn(Path file) throws IOException {
        return Map.of(
                "LD_PRELOAD",
                fakeTime().toString(),
                "FAKETIME_TIMESTAMP_FILE",
                file.toString(),
                "FAKETIME_CACHE_DURATION",
                "1",
                "FAKETIME_DONT_FAKE_MONOTONIC",
                "1");
    }

    private static Path fakeTime() throws IOException {
        try (DirectoryStream<Path> architectures = Files.newDirectoryStream(Path.of("/usr/lib"), "*-linux-gnu")) {
            for (Path each : architectures) {
                Path library = each.resolve("faketime/libfaketimeMT.so.1");
                if (Files.exists(library)) {
                    return library;
                }
            }
        }
        throw new AssertionError("the package faketime is missing; bin/setup installs it");
    }
}
