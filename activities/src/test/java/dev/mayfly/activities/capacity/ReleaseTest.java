package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import org.junit.jupiter.api.Test;

/** Who may free a slot, and what becomes of a job that lost its own; the property test does not come to these. */
class ReleaseTest extends WithFleet {

    @Test
    void onlyItsOwnerReleasesASlot() {
        fleet.host("a", 2);
        Holding slot = fleet.holds(ten);
        fleet.capacity.leave(ten.key());

        assertThat(fleet.capacity.release(eleven.key(), slot.slotId()))
                .as("another job's call, late or mistaken")
                .isFalse();
        assertThat(fleet.capacity.releaseSwept(slot.slotId()))
                .as("the sweeper's, which did not take it")
                .isFalse();
        assertThat(fleet.slots.live()).hasSize(1);
        assertThat(fleet.capacity.release(ten.key(), slot.slotId())).isTrue();
    }

    @Test
    void aSlotInUseIsNotReleasedByItsOwnerEither() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        assertThat(fleet.capacity.release(ten.key(), slot.slotId())).isFalse();
        assertThat(fleet.holds(ten)).isEqualTo(slot);
        assertThat(fleet.capacity.hold(eleven)).as("its room is still taken").isNull();
    }

    @Test
    void theSweeperTakesNoSlotWhoseWorkflowIsStillToBeStarted() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        CiJob unknown = job(9, SMALL);
        fleet.claim(slot, unknown);
        Holding claimed = fleet.holds(unknown);

        assertThat(fleet.capacity.sweep(slot.slotId(), claimed.generation()))
                .as("its start waits in the outbox")
                .isFalse();
        fleet.signals(); // sent
        assertThat(fleet.capacity.sweep(slot.slotId(), claimed.generation())).isTrue();
    }

    @Test
    void aJobWhoseSlotTheSweeperTookWaitsAtItsOldPlaceWhenItsWorkflowRunsAgain() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        assertThat(fleet.capacity.hold(eleven)).isNull();
        CiJob twelve = job(12, SMALL);
        assertThat(fleet.capacity.hold(twelve)).isNull();
        assertThat(fleet.capacity.sweep(slot.slotId(), slot.generation())).isTrue();

        assertThat(fleet.capacity.hold(ten)).isNull();

        fleet.capacity.releaseSwept(slot.slotId());
        fleet.capacity.dispatch();
        assertThat(fleet.holds(ten).slotId()).isNotEqualTo(slot.slotId());
        assertThat(fleet.capacity.hold(eleven)).isNull();
    }
}
