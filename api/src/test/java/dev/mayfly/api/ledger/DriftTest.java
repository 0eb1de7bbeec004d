package dev.mayfly.api.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.RunnerView;
import dev.mayfly.activities.gitlab.GitLabJobs.NotedRunner;
import dev.mayfly.activities.jobs.Jobs.Project;
import dev.mayfly.activities.ledger.Difference;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The ledger's runners before and after GitLab was asked, beside those that GitLab has. */
final class DriftTest {

    private static List<Difference> differences(List<Long> before, List<Long> there, List<Long> after) {
        return Drift.runnersOf(
                new Project("gl", 7, "acme/app"),
                inTheLedger(before),
                there.stream().map(id -> new NotedRunner(id, "abcde-" + id)).toList(),
                inTheLedger(after));
    }

    private static Map<Long, RunnerView> inTheLedger(List<Long> ids) {
        return ids.stream()
                .map(id -> new RunnerView("abcde-" + id, "gl", 7, id, List.of(), null, Instant.EPOCH))
                .collect(Collectors.toMap(RunnerView::runnerId, Function.identity()));
    }

    private static List<Long> ids(long... ids) {
        return Arrays.stream(ids).boxed().toList();
    }

    @Test
    void whatBothHaveIsNoDifference() {
        assertThat(differences(ids(1, 2), ids(2, 1), ids(1, 2))).isEmpty();
    }

    @Test
    void aRunnerThatOnlyGitLabHas() {
        assertThat(differences(ids(1), ids(1, 2), ids(1)))
                .containsExactly(
                        new Difference("GitLab gl", "runner 2 of slot abcde-2 is there, and the ledger has none"));
    }

    @Test
    void aRunnerThatOnlyTheLedgerHas() {
        assertThat(differences(ids(1, 2), ids(1), ids(1, 2)))
                .containsExactly(
                        new Difference("GitLab gl", "runner 2 of slot abcde-2 is in the ledger, and not there"));
    }

    @Test
    void whatIsMadeOrRemovedMeanwhileIsNoDifference() {
        assertThat(differences(ids(), ids(1), ids(1)))
                .as("made before GitLab was asked")
                .isEmpty();
        assertThat(differences(ids(), ids(), ids(1))).as("made after it was").isEmpty();
        assertThat(differences(ids(1), ids(), ids())).as("removed before").isEmpty();
        assertThat(differences(ids(1), ids(1), ids())).as("removed after").isEmpty();
    }
}
