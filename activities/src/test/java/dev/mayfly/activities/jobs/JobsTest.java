package dev.mayfly.activities.jobs;

import static dev.mayfly.activities.capacity.Fleet.LARGE;
import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.activities.capacity.WithFleet;
import dev.mayfly.activities.jobs.Jobs.Standing;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JobsTest extends WithFleet {

    @Test
    void aJobIsShownAsItWasSeen() {
        CiJob odd = new CiJob(
                new JobKey("gl", 7, 10),
                "grüppe/äpp",
                "test 1/3",
                "test",
                "feature/a'b\"c",
                "a1b2c3",
                700,
                "https://gitlab.test/x",
                "ada",
                List.of("with space", "{curly}", "a,b", "quote\"d", "back\\slash"),
                SMALL,
                ten.executor(),
                List.of("gpu", "rack-7"));

        fleet.jobs.upsertSeen(odd, "pending");

        assertThat(fleet.jobs.find(odd.key())).hasValueSatisfying(row -> {
            assertThat(row.job()).isEqualTo(odd);
            assertThat(row.status()).isEqualTo("pending");
            assertThat(row.phase()).isNull();
            assertThat(row.left()).isFalse();
            assertThat(row.seenAt()).isEqualTo(fleet.clock.instant());
        });
        assertThat(fleet.jobs.findByJobId(10)).hasSize(1);
        assertThat(fleet.jobs.find(eleven.key())).isEmpty();
    }

    /** Webhooks are reordered: a row never goes back in a job's life, and never from one end to another. */
    @ParameterizedTest
    @CsvSource({
        "created, pending, pending",
        "pending, created, pending",
        "pending, running, running",
        "running, pending, running",
        "running, canceling, canceling",
        "canceling, running, canceling",
        "running, success, success",
        "success, running, success",
        "success, failed, success",
        "failed, success, failed",
        "canceled, pending, canceled",
        "skipped, pending, pending",
        "manual, pending, pending",
        "pending, brand_new_word, pending",
        "gone, running, gone",
    })
    void aStatusNeverGoesBack(String first, String second, String shown) {
        fleet.jobs.upsertSeen(ten, first);
        Standing standing = fleet.jobs.upsertSeen(ten, second);

        assertThat(fleet.jobs.find(ten.key())).map(JobView::status).contains(shown);
        assertThat(standing == Standing.ENDED)
                .isEqualTo(List.of("success", "failed", "canceled", "gone").contains(shown));
        assertThat(fleet.jobs.standing(ten.key())).isEqualTo(standing);
    }

    @Test
    void theStatusOfAnUnknownJobIsNotRecorded() {
        assertThat(fleet.jobs.recordStatus(ten.key(), "success")).isFalse();
        assertThat(fleet.jobs.find(ten.key())).isEmpty();
    }

    @Test
    void aWorkflowMayStartOnlyForAKnownJobThatWasNotRefusedHasNotEndedAndHasNotLeft() {
        assertThat(fleet.jobs.standing(ten.key())).isEqualTo(Standing.UNKNOWN);
        assertThat(fleet.jobs.upsertSeen(ten, "pending")).isEqualTo(Standing.OPEN);
        fleet.capacity.leave(ten.key());
        assertThat(fleet.jobs.standing(ten.key())).as("left").isEqualTo(Standing.CLOSED);

        fleet.jobs.upsertSeen(eleven, "pending");
        fleet.jobs.recordStatus(eleven.key(), "canceled");
        assertThat(fleet.jobs.standing(eleven.key())).isEqualTo(Standing.ENDED);

        CiJob huge = job(12, null);
        fleet.jobs.refuse(huge, "pending", "it asks for 64 CPUs");
        assertThat(fleet.jobs.standing(huge.key())).as("refused").isEqualTo(Standing.CLOSED);
        assertThat(fleet.jobs.find(huge.key())).map(JobView::refusal).contains("it asks for 64 CPUs");
        assertThat(fleet.jobs.unfinished(10)).isEmpty();
    }

    @Test
    void aRefusedJobIsNeverQueuedAndARunningOneIsNotRefusedAfterwards() {
        fleet.host("a", 1);
        fleet.jobs.refuse(ten, "pending", "no");
        assertThat(fleet.capacity.hold(ten)).isNull();

        fleet.holds(eleven);
        fleet.capacity.recordPhase(eleven.key(), JobPhase.LAUNCHING, null, null);
        fleet.jobs.refuse(eleven, "pending", "too late");
        assertThat(fleet.jobs.find(eleven.key())).map(JobView::refusal).isEmpty();
    }

    @Test
    void factsAreRefreshedUntilTheJobIsQueued() {
        fleet.jobs.upsertSeen(job(10, LARGE), "created");
        fleet.jobs.upsertSeen(ten, "pending");
        assertThat(sizeOfTen()).isEqualTo(SMALL);
        fleet.capacity.hold(ten);

        fleet.jobs.upsertSeen(job(10, LARGE), "pending");

        assertThat(sizeOfTen()).as("what it waits for stays").isEqualTo(SMALL);
    }

    private static Object sizeOfTen() {
        return Objects.requireNonNull(
                fleet.jobs.find(new JobKey("gl", 7, 10)).orElseThrow().job().size());
    }

    @Test
    void aPhaseNeverComesAfterTheEndAndTheEndIsKeptOnce() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        fleet.claim(slot, ten);
        fleet.capacity.recordPhase(ten.key(), JobPhase.RUNNING, slot.slotId(), null);
        JobOutcome outcome = new JobOutcome(JobOutcome.Result.SUCCEEDED, slot.slotId(), "ok");
        fleet.capacity.recordPhase(ten.key(), JobPhase.DONE, slot.slotId(), outcome);
        fleet.capacity.recordPhase(ten.key(), JobPhase.RUNNING, slot.slotId(), null);
        fleet.capacity.recordPhase(
                ten.key(), JobPhase.DONE, null, new JobOutcome(JobOutcome.Result.FAILED, null, "late"));

        assertThat(fleet.jobs.find(ten.key())).hasValueSatisfying(row -> {
            assertThat(row.phase()).isEqualTo(JobPhase.DONE);
            assertThat(row.slotId()).isEqualTo(slot.slotId());
            assertThat(row.hostId()).isEqualTo("a");
            assertThat(row.queuedAt()).isNotNull();
            assertThat(row.claimedAt()).isNotNull();
            assertThat(row.startedAt()).isNotNull();
            assertThat(row.finishedAt()).isNotNull();
            assertThat(row.outcome()).isEqualTo(outcome);
        });
    }

    @Test
    void pagesComeNewestFirstAndMissNothingThoughManyWereSeenAtOnce() {
        for (long id = 1; id <= 25; id++) {
            if (id % 5 == 0) {
                fleet.clock.pass(Duration.ofSeconds(1));
            }
            fleet.jobs.upsertSeen(job(id, SMALL), "pending");
        }
        List<Long> seen = new ArrayList<>();
        String cursor = null;
        do {
            JobPage page = fleet.jobs.list(JobFilter.any(), 4, cursor);
            assertThat(page.jobs()).hasSizeLessThanOrEqualTo(4);
            page.jobs().forEach(row -> seen.add(row.job().key().jobId()));
            cursor = page.next();
        } while (cursor != null);

        assertThat(seen).hasSize(25).doesNotHaveDuplicates().startsWith(25L);
        assertThat(fleet.jobs.list(JobFilter.any(), 25, null).next())
                .as("no page after the last")
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({"nonsense", "''", "aGVsbG8", "MjAyNi0wMS0wMXxr"})
    void whatIsNoCursorIsRefusedWithTheCure(String text) {
        assertThatThrownBy(() -> fleet.jobs.list(JobFilter.any(), 10, text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a page cursor");
    }

    @Test
    void jobsAreFilteredByEveryField() {
        fleet.host("a", 1);
        fleet.holds(ten);
        fleet.capacity.recordPhase(
                ten.key(), JobPhase.LAUNCHING, fleet.holds(ten).slotId(), null);
        fleet.jobs.upsertSeen(eleven, "pending");
        fleet.jobs.recordStatus(eleven.key(), "success");

        assertThat(ids(filter("gl", null, null, null, null, null, false))).containsExactly(11L, 10L);
        assertThat(ids(filter("other", null, null, null, null, null, false))).isEmpty();
        assertThat(ids(filter(null, "acme/app", null, null, null, null, false))).hasSize(2);
        assertThat(ids(filter(null, "acme", null, null, null, null, false))).isEmpty();
        assertThat(ids(filter(null, null, "success", null, null, null, false))).containsExactly(11L);
        assertThat(ids(filter(null, null, null, JobPhase.LAUNCHING, null, null, false)))
                .containsExactly(10L);
        assertThat(ids(filter(null, null, null, null, "a", null, false))).containsExactly(10L);
        assertThat(ids(filter(null, null, null, null, null, 700L, false))).hasSize(2);
        assertThat(ids(filter(null, null, null, null, null, 701L, false))).isEmpty();
        assertThat(ids(filter(null, null, null, null, null, null, true))).containsExactly(10L);
    }

    @Test
    void activeProjectsAreThoseWithJobsSeenLatelyOrNotEnded() {
        fleet.jobs.upsertSeen(ten, "pending");
        fleet.clock.pass(Duration.ofDays(3));
        assertThat(fleet.jobs.activeProjects(Duration.ofDays(2)))
                .as("its job has not ended")
                .containsExactly(new Jobs.Project("gl", 7, "acme/app"));
        fleet.jobs.recordStatus(ten.key(), "success");

        assertThat(fleet.jobs.activeProjects(Duration.ofDays(2))).isEmpty();
        assertThat(fleet.jobs.activeProjects(Duration.ofDays(4))).hasSize(1);
    }

    private static JobFilter filter(
            @Nullable String instance,
            @Nullable String project,
            @Nullable String status,
            @Nullable JobPhase phase,
            @Nullable String host,
            @Nullable Long pipeline,
            boolean unfinished) {
        return new JobFilter(instance, project, status, phase, host, pipeline, unfinished);
    }

    private static List<Long> ids(JobFilter filter) {
        return fleet.jobs.list(filter, 10, null).jobs().stream()
                .map(row -> row.job().key().jobId())
                .toList();
    }
}
