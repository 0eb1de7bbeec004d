package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome.Result;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.sdk.v1.WorkflowMetadata;
import io.temporal.common.SearchAttributeKey;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What Temporal's UI shows of a job: everything that people read there is really set. */
class TemporalUiTest {

    @Test
    void summaryAndDetailsSayWhichJobItIs() {
        try (var rig = new Rig(0)) {
            CiJob job = rig.start(8123);
            var shown = rig.stub(job).describe();
            assertThat(shown.getStaticSummary()).isEqualTo("group/app #8123 test 4c/8g");
            assertThat(shown.getStaticDetails()).isEqualTo("""
                            [Job 8123 test](https://gitlab.example/group/app/-/jobs/8123)

                            [Pipeline 900](https://gitlab.example/group/app/-/pipelines/900)

                            [group/app](https://gitlab.example/group/app) at `main` (8a1c9b7e6d5f4c3b2a19087f6e5d4c3b2a190817), started by ada

                            Tags: actuated-4cpu-8gb, shell""");
        }
    }

    @Test
    void aLongNameNeitherRefusesTheStartNorBreaksACharacter() {
        CiJob job = Rig.job(11);
        var wordy = new CiJob(
                job.key(),
                "ü".repeat(300),
                "test",
                "test",
                "r".repeat(300),
                job.sha(),
                job.pipelineId(),
                job.webUrl(),
                job.user(),
                List.of("t".repeat(300)),
                job.size(),
                job.executor(),
                job.labels());
        var options = JobOptions.of(wordy, OffsetDateTime.parse("2026-01-01T00:00:00Z"));
        assertThat(options.getStaticSummary()).isEqualTo("ü".repeat(100));
        assertThat(options.getStaticSummary().getBytes(StandardCharsets.UTF_8)).hasSize(200);
        assertThat(options.getTypedSearchAttributes().get(SearchAttributes.PROJECT))
                .hasSize(255);
        assertThat(options.getTypedSearchAttributes().get(SearchAttributes.REF)).hasSize(255);
        assertThat(options.getTypedSearchAttributes().get(SearchAttributes.TAGS).get(0))
                .hasSize(255);
    }

    @Test
    void aQueuedJobIsFoundByWhatIsKnownOfIt() {
        try (var rig = new Rig(0)) {
            CiJob job = rig.start(11);
            rig.untilTold(job, "queued");
            assertThat(attributes(rig, job))
                    .containsEntry("CiInstance", "main")
                    .containsEntry("CiProject", "group/app")
                    .containsEntry("CiPipelineId", "900")
                    .containsEntry("CiJobName", "test")
                    .containsEntry("CiRef", "main")
                    .containsEntry("CiUser", "ada")
                    .containsEntry("CiVcpus", 4L)
                    .containsEntry("CiMemMb", 8192L)
                    .containsEntry("CiTags", List.of("actuated-4cpu-8gb", "shell"))
                    .containsEntry("CiPhase", "queued")
                    .containsKey("CiQueuedAt")
                    .doesNotContainKeys("CiHost", "CiQueueMs", "CiStartedAt", "CiFinishedAt", "CiOutcome");
        }
    }

    @Test
    void aRunningJobIsFoundByItsHostAndAnEndedOneByHowItEnded() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.untilTold(job, "running in");
            assertThat(attributes(rig, job))
                    .containsEntry("CiPhase", "running")
                    .containsEntry("CiHost", "h1")
                    .containsKeys("CiQueueMs", "CiStartedAt")
                    .doesNotContainKeys("CiFinishedAt", "CiOutcome");
            rig.succeed(job);
            assertThat(attributes(rig, job))
                    .containsEntry("CiPhase", "done")
                    .containsEntry("CiOutcome", "succeeded")
                    .containsEntry("CiNeedsAttention", false)
                    .containsKeys("CiQueueMs", "CiStartedAt", "CiFinishedAt")
                    .doesNotContainKeys("CiHost", "CiHostLost");
        }
    }

    @Test
    void aJobWhoseHostWasLostIsFoundByThat() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.host("h1").lost = true;
            rig.workflow(job).lookAgain(null);
            rig.assertEnds(job, Result.VM_LOST);
            assertThat(attributes(rig, job)).containsEntry("CiHostLost", true).containsEntry("CiOutcome", "vm-lost");
        }
    }

    @Test
    void currentDetailsAreTheStory() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.untilTold(job, "running in");
            var metadata = rig.stub(job).query("__temporal_workflow_metadata", WorkflowMetadata.class);
            assertThat(metadata.getCurrentDetails())
                    .isEqualTo(rig.workflow(job).progress())
                    .contains("| when | what |");
            rig.succeed(job);
        }
    }

    @Test
    void everyBarOfTheTimelineHasAName() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.succeed(job);
            List<String> summaries =
                    rig.env.getWorkflowClient().fetchHistory(job.key().workflowId()).getEvents().stream()
                            .filter(event -> event.getEventType() == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
                            .map(event -> event.getUserMetadata()
                                    .getSummary()
                                    .getData()
                                    .toStringUtf8())
                            .toList();
            assertThat(summaries)
                    .contains(
                            "\"ensure the runner of k3x9p-1\"",
                            "\"launch k3x9p-1 on h1 4c/8g\"",
                            "\"claim k3x9p-1 on h1\"",
                            "\"run k3x9p-1 on h1\"",
                            "\"leave\"",
                            "\"destroy k3x9p-1 on h1\"",
                            "\"release k3x9p-1\"",
                            "\"remove the runner of k3x9p-1\"")
                    .doesNotContain("");
        }
    }

    @Test
    void postgresqlVisibilityHasAColumnForEachSearchAttribute() {
        Map<String, Long> columns = SearchAttributes.ALL.stream()
                .collect(Collectors.groupingBy(key -> key.getValueType().name(), Collectors.counting()));
        assertThat(columns)
                .allSatisfy((type, used) -> assertThat(used)
                        .as(type)
                        .isLessThanOrEqualTo(type.equals("INDEXED_VALUE_TYPE_KEYWORD") ? 10 : 3));
        assertThat(SearchAttributes.ALL.stream().map(SearchAttributeKey::getName))
                .doesNotHaveDuplicates();
    }

    private static Map<String, Object> attributes(Rig rig, CiJob job) {
        return rig.stub(job).describe().getTypedSearchAttributes().getUntypedValues().entrySet().stream()
                .collect(Collectors.toMap(entry -> entry.getKey().getName(), Map.Entry::getValue));
    }
}
