package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.temporal.common.WorkflowExecutionHistory;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.testing.WorkflowReplayer;
import io.temporal.worker.Worker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Histories of jobs that ran are replayed by today's workflow: it must issue the same commands in the same order, else
 * the jobs that run while a new version is installed are stuck. A change that fails here goes behind
 * {@code Workflow.getVersion}; as long as nothing is released, {@link HistoryRecorder} records them anew instead.
 */
class ReplayTest {

    static final Path HISTORIES = Path.of("src/test/resources/histories");

    private static final String CURE =
            "this workflow would strand jobs that are under way when it is installed: put the"
                    + " change behind Workflow.getVersion, or, before the first release, record the histories anew"
                    + " (mvn -pl workflows test -Dtest=HistoryRecorder)";

    /** Paths of a machine, and what GitLab's tokens and our keys look like. */
    private static final Pattern FORBIDDEN =
            Pattern.compile("/(home|root|tmp|work|var|Users)/|gl[a-z]{2,5}-[A-Za-z0-9_-]{8}|token\"|PRIVATE KEY");

    private static final Pattern PAYLOAD = Pattern.compile("\"data\": ?\"([A-Za-z0-9+/=]+)\"");
    private static final Pattern IDENTITY = Pattern.compile("\"identity\": ?\"(?!rig\")[^\"]+\"");

    static Stream<Path> histories() {
        try (Stream<Path> files = Files.list(HISTORIES)) {
            return files.sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Recorded with short time-outs, replayed with those of production: durations are no part of a replay. */
    @ParameterizedTest
    @MethodSource("histories")
    void todaysWorkflowTakesTheSameWay(Path file) throws IOException {
        var history = WorkflowExecutionHistory.fromJson(Files.readString(file));
        try (var temporal = TestWorkflowEnvironment.newInstance()) {
            Worker worker = temporal.newWorker(TaskQueues.CONTROL);
            Workflows.register(worker, Timeouts.defaults());
            assertThatCode(() -> WorkflowReplayer.replayWorkflowExecution(history, worker))
                    .as(CURE)
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void theTypicalLivesAreThere() {
        assertThat(histories().map(file -> file.getFileName().toString()))
                .containsExactly(
                        "cancelled.json",
                        "ended-while-queued.json",
                        "exchanged.json",
                        "given-up.json",
                        "host-lost.json",
                        "reopened.json",
                        "succeeded.json");
    }

    @ParameterizedTest
    @MethodSource("histories")
    void aHistoryHoldsNoSecretAndNamesNoMachine(Path file) throws IOException {
        String json = Files.readString(file);
        List<String> payloads = PAYLOAD.matcher(json)
                .results()
                .map(found -> new String(Base64.getDecoder().decode(found.group(1)), StandardCharsets.UTF_8))
                .toList();
        assertThat(payloads).anyMatch(payload -> payload.contains("gitlab.example")); // they were really decoded
        assertThat(payloads).noneMatch(FORBIDDEN.asPredicate());
        assertThat(json).doesNotContainPattern(FORBIDDEN).doesNotContainPattern(IDENTITY);
    }
}
