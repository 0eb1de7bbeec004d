package dev.mayfly.activities.jobs;

import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.WithFleet;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobPhase;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is kept of ended jobs, and for how long. */
final class RetentionTest extends WithFleet {

    private static final Duration KEPT = Duration.ofDays(30);
    private static final Duration LONGER = KEPT.plusDays(1);
    private static final List<String> TABLES =
            List.of("job", "slot", "runner", "ledger", "queue", "forecast", "holding");

    private Retention retention;

    @BeforeEach
    void twoSlots() {
        retention = new Retention(fleet.database.jdbi(), fleet.clock);
        fleet.host("a", 2);
    }

    private static void end(CiJob job) {
        fleet.jobs.upsertSeen(job, "success");
        fleet.capacity.leave(job.key());
        fleet.capacity.recordPhase(job.key(), JobPhase.DONE, null, null);
    }

    private static void release(CiJob job) {
        for (Holding left : fleet.capacity.toDismantle(job.key())) {
            assertThat(fleet.capacity.release(job.key(), left.slotId())).isTrue();
        }
    }

    private static void runner(Holding slot, boolean removed) {
        fleet.database.jdbi().useHandle(handle -> {
            handle.execute(
                    "insert into runner (slot_id, instance, project_id, runner_id, tags, created_at) values (?, 'gl', 7, 1, '{}', ?)",
                    slot.slotId(),
                    fleet.clock.instant());
            if (removed) {
                handle.execute("update runner set removed_at = ?", fleet.clock.instant());
            }
        });
    }

    private static long rows(String table) {
        return fleet.database
                .jdbi()
                .withHandle(handle -> handle.createQuery("select count(*) from " + table)
                        .mapTo(Long.class)
                        .one());
    }

    @Test
    void nothingIsLeftOfAJobThatEndedLongAgo() {
        Holding slot = fleet.holds(ten);
        runner(slot, true);
        fleet.claim(slot, ten);
        end(ten);
        release(ten);
        fleet.clock.pass(LONGER);

        assertThat(retention.forget(KEPT)).isEqualTo(1);

        assertThat(TABLES).allSatisfy(table -> assertThat(rows(table)).as(table).isZero());
    }

    @Test
    void aJobIsKeptForItsTime() {
        fleet.holds(ten);
        end(ten);
        release(ten);
        fleet.clock.pass(KEPT.minusSeconds(1));

        assertThat(retention.forget(KEPT)).isZero();

        assertThat(fleet.jobs.find(ten.key())).isPresent();
        assertThat(rows("slot")).isEqualTo(1);
    }

    @Test
    void whatNeverEndedIsKeptHoweverOld() {
        fleet.holds(ten);
        fleet.capacity.hold(eleven);
        fleet.clock.pass(LONGER);

        assertThat(retention.forget(KEPT)).isZero();

        assertThat(rows("job")).isEqualTo(2);
    }

    @Test
    void anEndedJobIsKeptAsLongAsItsSlotIsNotReleased() {
        fleet.holds(ten);
        end(ten);
        fleet.clock.pass(LONGER);

        assertThat(retention.forget(KEPT)).isZero();

        assertThat(fleet.capacity.toDismantle(ten.key())).hasSize(1);
    }

    @Test
    void aSlotIsKeptAsLongAsItsRunnerIsNotRemoved() {
        runner(fleet.holds(ten), false);
        end(ten);
        release(ten);
        fleet.clock.pass(LONGER);

        assertThat(retention.forget(KEPT)).isZero();

        assertThat(rows("runner")).isEqualTo(1);
        assertThat(rows("slot")).isEqualTo(1);
    }

    @Test
    void aJobIsKeptAsLongAsTheSlotThatWasMadeForItAndRanAnother() {
        Holding slot = fleet.holds(ten);
        fleet.claim(slot, eleven);
        end(ten);
        fleet.clock.pass(LONGER);
        end(eleven);
        release(eleven);

        assertThat(retention.forget(KEPT)).isZero();

        fleet.clock.pass(LONGER);
        assertThat(retention.forget(KEPT)).isEqualTo(2);
    }

    @Test
    void moreThanOneTransactionsWorthOfJobsThatNeverWaitedIsForgotten() {
        int most = Retention.AT_ONCE + 1;
        for (long id = 1; id <= most; id++) {
            fleet.jobs.upsertSeen(job(id, SMALL), "canceled");
        }
        fleet.clock.pass(LONGER);

        assertThat(retention.forget(KEPT)).isEqualTo(most);
    }
}
