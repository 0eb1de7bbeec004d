package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.LARGE;
import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.Why.Code;
import dev.mayfly.activities.placement.Limit;
import dev.mayfly.activities.placement.Order;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Each reason why a job does not run yet, reached by what leads to it. */
class WhyWaitingTest extends WithFleet {

    private Why why(CiJob job) {
        return why(job, fleet.capacity);
    }

    private Why why(CiJob job, PostgresCapacity capacity) {
        return new WhyWaiting(
                        fleet.database.jdbi(), fleet.jobs, capacity, new Forecasts(fleet.database.jdbi(), fleet.clock))
                .of(fleet.jobs.find(job.key()).orElseThrow());
    }

    private void queue(CiJob job) {
        assertThat(fleet.capacity.hold(job)).isNull();
        fleet.capacity.recordPhase(job.key(), JobPhase.QUEUED, null, null);
    }

    @Test
    void noHostHasSoMuchFree() {
        fleet.host("a", 1);
        fleet.holds(ten);
        queue(eleven);
        Why why = why(eleven);
        assertThat(why.code()).isEqualTo(Code.NO_ROOM);
        assertThat(why.position()).isEqualTo(1);
        assertThat(why.reason())
                .isEqualTo("the only host that could run it does not have 2c/4g free now; it is the next");
    }

    @Test
    void othersAreBeforeIt() {
        fleet.host("a", 1);
        fleet.holds(ten);
        queue(eleven);
        CiJob twelve = job(12, SMALL);
        queue(twelve);
        assertThat(why(twelve).position()).isEqualTo(2);
        assertThat(why(twelve).reason()).endsWith("one job is before it");
    }

    @Test
    void noHostIsOfItsArchitecture() {
        fleet.host("a", 1);
        CiJob arm = job(12, new VmSize(Arch.ARM64, 2000, 4096, 10_240));
        queue(arm);
        assertThat(why(arm).code()).isEqualTo(Code.NO_HOST_OF_ARCH);
        assertThat(why(arm).reason()).isEqualTo("it asks for arm64, and no host is arm64; add one");
    }

    @Test
    void noHostHasItsLabel() {
        fleet.host("a", 1);
        CiJob labelled = job(12, List.of("actuated"), SMALL, Executor.SHELL, List.of("gpu"));
        queue(labelled);
        assertThat(why(labelled).code()).isEqualTo(Code.NO_HOST_WITH_LABELS);
        assertThat(why(labelled).reason())
                .isEqualTo("no host has the labels [gpu]; label one by 'mayfly hosts label', or remove the tag");
    }

    @Test
    void noHostIsSoLarge() {
        fleet.host("a", 1);
        CiJob large = job(12, LARGE);
        queue(large);
        assertThat(why(large).code()).isEqualTo(Code.NO_HOST_LARGE_ENOUGH);
        assertThat(why(large).reason()).contains("4c/8g", "2.0 CPUs", "add a host");
    }

    @Test
    void eachHostThatCouldRunItIsSilentOrDrained() {
        fleet.host("a", 1);
        fleet.silence(Duration.ofSeconds(31));
        queue(ten);
        assertThat(why(ten).code()).isEqualTo(Code.NO_HOST_READY);
        fleet.lease("a", 1, 1);
        new HostOrders(fleet.database.jdbi(), fleet.clock, fleet.outbox).drain("a");
        assertThat(why(ten).code()).isEqualTo(Code.NO_HOST_READY);
    }

    @Test
    void itsProjectHasAllItMayHave() {
        var limit = new Limit("gl", "acme/app", 1, Integer.MAX_VALUE, Integer.MAX_VALUE);
        Rules one = new Rules(false, 1, 10, VmSize.of(250, 256, 0), 200, List.of(limit));
        var limited = new PostgresCapacity(
                fleet.database.jdbi(), fleet.clock, fleet.outbox, fleet.sealer, one, Order.standard());
        fleet.host("a", 2);
        assertThat(limited.hold(ten)).isNotNull();
        assertThat(limited.hold(eleven)).isNull();
        limited.recordPhase(eleven.key(), JobPhase.QUEUED, null, null);
        assertThat(why(eleven, limited).code()).isEqualTo(Code.AT_LIMIT);
        assertThat(why(eleven, limited).reason()).isEqualTo("acme/app has 1 of 1 jobs running");
    }

    @Test
    void asManyAreStartingAsMayBeAtOnceUntilOneHasItsJobOrIsInTrouble() {
        Rules two = new Rules(false, 1, 10, VmSize.of(250, 256, 0), 2, List.of());
        var capacity = new PostgresCapacity(
                fleet.database.jdbi(), fleet.clock, fleet.outbox, fleet.sealer, two, Order.standard());
        for (int id = 20; id < 25; id++) {
            capacity.hold(job(id, SMALL));
        }
        fleet.host("a", 9);
        assertThat(capacity.dispatch()).isEqualTo(2);
        assertThat(capacity.dispatch()).isZero();
        assertThat(capacity.hold(ten)).isNull();
        capacity.recordPhase(ten.key(), JobPhase.QUEUED, null, null);
        assertThat(why(ten, capacity).code()).isEqualTo(Code.MANY_STARTING);
        assertThat(why(ten, capacity).reason())
                .isEqualTo("2 VMs are being started, as many as may be at once; 3 jobs are before it");

        fleet.database
                .jdbi()
                .useHandle(handle -> handle.execute(
                        "update slot set claimed_at = created_at where id = (select min(id) from slot)"));
        assertThat(capacity.dispatch()).as("one has its job").isEqualTo(1);
        fleet.clock.pass(Dispatcher.STARTS_WITHIN);
        assertThat(capacity.dispatch()).as("those that did not start").isEqualTo(2);
    }

    @Test
    void whileItsControlPlaneIsBehindATenthOfThatMayStart() {
        var isBehind = new AtomicBoolean(true);
        var capacity = new PostgresCapacity(
                fleet.database.jdbi(),
                fleet.clock,
                fleet.outbox,
                fleet.sealer,
                new Rules(false, 1, 10, VmSize.of(250, 256, 0), 30, List.of()),
                Order.standard(),
                isBehind::get);
        for (int id = 20; id < 25; id++) {
            capacity.hold(job(id, SMALL));
        }
        fleet.host("a", 9);
        assertThat(capacity.dispatch()).isEqualTo(3);
        isBehind.set(false);
        assertThat(capacity.dispatch()).isEqualTo(2);
    }

    @Test
    void thereIsRoomSoItsTurnComes() {
        queue(ten);
        fleet.host("a", 1);
        assertThat(why(ten).code()).isEqualTo(Code.JUST_QUEUED);
        assertThat(why(ten).reason()).contains("in a moment");
    }

    @Test
    void afterTheQueueItsPhaseSaysIt() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        assertThat(why(ten).code()).isEqualTo(Code.JUST_QUEUED);
        for (var expected : List.of(
                new Expected(JobPhase.LAUNCHING, Code.STARTING, "is being started on a"),
                new Expected(JobPhase.CLAIMING, Code.WAITS_FOR_GITLAB, "waits for GitLab to hand it the job"),
                new Expected(JobPhase.RUNNING, Code.RUNNING, "it runs in " + slot.slotId()),
                new Expected(JobPhase.DISMANTLING, Code.ENDED, "it has ended"))) {
            fleet.capacity.recordPhase(ten.key(), expected.phase(), slot.slotId(), null);
            assertThat(why(ten).code()).isEqualTo(expected.code());
            assertThat(why(ten).reason()).contains(expected.words());
        }
    }

    private record Expected(JobPhase phase, Code code, String words) {}

    @Test
    void aRefusedJobSaysWhy() {
        fleet.jobs.refuse(job(12, null), "pending", "the tag actuated-odd does not parse");
        assertThat(why(job(12, null)).code()).isEqualTo(Code.REFUSED);
        assertThat(why(job(12, null)).reason()).isEqualTo("it is refused: the tag actuated-odd does not parse");
    }

    @Test
    void anEndedJobSaysHow() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        fleet.capacity.recordPhase(
                ten.key(),
                JobPhase.DONE,
                slot.slotId(),
                new JobOutcome(JobOutcome.Result.SUCCEEDED, slot.slotId(), "the job succeeded"));
        assertThat(why(ten).reason()).isEqualTo("it has ended: the job succeeded");
    }
}
