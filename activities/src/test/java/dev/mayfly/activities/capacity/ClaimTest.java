package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One test for each way in which a claim exchanges holdings. */
class ClaimTest extends WithFleet {

    @Test
    void aClaimOfTheSlotsOwnJobChangesNothingElse() {
        fleet.host("a", 2);
        Holding slot = fleet.holds(ten);

        ClaimOutcome outcome = fleet.claim(slot, ten);

        assertThat(outcome.reply().verdict()).isEqualTo(Verdict.HELD);
        assertThat(outcome.reply().executor()).isEqualTo(Executor.SHELL);
        Holding after = fleet.holds(ten);
        assertThat(after.slotId()).isEqualTo(slot.slotId());
        assertThat(after.claimedJobId()).isEqualTo(10);
        assertThat(after.generation()).isGreaterThan(slot.generation());
        assertThat(fleet.signals()).containsExactly("10 HOLDING " + slot.slotId() + " start");
    }

    @Test
    void theSameClaimTwiceGetsTheSameAnswerAndNoSecondSignal() {
        fleet.host("a", 2);
        Holding slot = fleet.holds(ten);
        fleet.claim(slot, ten);
        Holding once = fleet.holds(ten);
        fleet.signals();

        ClaimOutcome again = fleet.claim(slot, ten);

        assertThat(again.reply().verdict()).isEqualTo(Verdict.HELD);
        assertThat(again.reply().executor()).isEqualTo(Executor.SHELL);
        assertThat(fleet.holds(ten)).isEqualTo(once);
        assertThat(fleet.signals()).isEmpty();
    }

    @Test
    void crossedClaimsOfTwoJobsExchangeTheirSlots() {
        fleet.host("a", 2);
        Holding first = fleet.holds(ten);
        Holding second = fleet.holds(eleven);

        assertThat(fleet.claim(second, ten).reply().verdict()).isEqualTo(Verdict.HELD);

        assertThat(fleet.holds(ten).slotId()).isEqualTo(second.slotId());
        Holding swapped = fleet.holds(eleven);
        assertThat(swapped.slotId()).isEqualTo(first.slotId());
        assertThat(swapped.claimedJobId()).isNull();
        assertThat(fleet.capacity.toDismantle(ten.key())).isEmpty();
        assertThat(fleet.capacity.toDismantle(eleven.key())).isEmpty();
        assertThat(fleet.signals())
                .containsExactly("10 HOLDING " + second.slotId() + " start", "11 HOLDING " + first.slotId());

        assertThat(fleet.claim(first, eleven).reply().verdict()).isEqualTo(Verdict.HELD);
        assertThat(fleet.holds(eleven).claimedJobId()).isEqualTo(11);
    }

    @Test
    void aRingOfThreeClaimsEndsWithEachJobInTheSlotThatClaimedIt() {
        fleet.host("a", 3);
        CiJob twelve = job(12, SMALL);
        Holding a = fleet.holds(ten);
        Holding b = fleet.holds(eleven);
        Holding c = fleet.holds(twelve);

        fleet.claim(b, ten);
        fleet.claim(c, eleven);
        fleet.claim(a, twelve);

        assertThat(fleet.holds(ten).slotId()).isEqualTo(b.slotId());
        assertThat(fleet.holds(eleven).slotId()).isEqualTo(c.slotId());
        assertThat(fleet.holds(twelve).slotId()).isEqualTo(a.slotId());
        assertThat(fleet.slots.live())
                .hasSize(3)
                .allSatisfy(slot -> assertThat(slot.owner()).isEqualTo(slot.holder()));
    }

    @Test
    void aJobNeverGetsASlotOnAHostWithoutItsLabelsInExchange() {
        HostOrders orders = new HostOrders(fleet.database.jdbi(), fleet.clock, fleet.outbox);
        fleet.host("a", 1);
        Holding plain = fleet.holds(ten);
        fleet.host("b", 1);
        orders.label("b", "gpu");
        CiJob labelled = job(12, List.of("actuated-2cpu", "actuated-host=gpu"), SMALL, Executor.SHELL, List.of("gpu"));
        Holding onGpu = fleet.holds(labelled);
        assertThat(onGpu.hostId()).isEqualTo("b");

        ClaimOutcome outcome = fleet.claim(onGpu, ten);

        assertThat(fleet.holds(ten).slotId()).isEqualTo(onGpu.slotId());
        assertThat(fleet.capacity.hold(labelled)).as("b has no more room").isNull();
        assertThat(outcome.story())
                .contains("which waited in it, goes back to the queue", "on a, which has not the labels");
        assertThat(fleet.signals()).containsExactly("10 HOLDING " + onGpu.slotId() + " start", "12 LOOK");
        assertThat(fleet.capacity.toDismantle(labelled.key())).isEmpty();
        assertThat(fleet.capacity.releaseSwept(plain.slotId()))
                .as("the sweeper's")
                .isTrue();
        fleet.capacity.leave(ten.key());
        fleet.capacity.release(ten.key(), onGpu.slotId());
        assertThat(fleet.holds(labelled).hostId()).isEqualTo("b");
    }

    @Test
    void aJobGetsTheFormerSlotInExchangeIfItsHostHasTheLabels() {
        HostOrders orders = new HostOrders(fleet.database.jdbi(), fleet.clock, fleet.outbox);
        fleet.host("a", 2);
        orders.label("a", "gpu");
        Holding plain = fleet.holds(ten);
        CiJob labelled = job(12, List.of("actuated-2cpu", "actuated-host=gpu"), SMALL, Executor.SHELL, List.of("gpu"));
        fleet.claim(fleet.holds(labelled), ten);
        assertThat(fleet.holds(labelled).slotId()).isEqualTo(plain.slotId());
    }

    @Test
    void aClaimOfAQueuedJobSendsTheSlotsJobBackToTheQueueAtItsOldPlace() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        assertThat(fleet.capacity.hold(eleven)).isNull();
        assertThat(fleet.capacity.hold(job(12, SMALL))).isNull();

        fleet.claim(slot, eleven);

        assertThat(fleet.capacity.hold(ten)).isNull();
        assertThat(fleet.signals()).containsExactly("11 HOLDING " + slot.slotId() + " start", "10 LOOK");
        fleet.lease("a", 1, 2);
        fleet.capacity.dispatch();
        assertThat(fleet.holds(ten).slotId()).isNotEqualTo(slot.slotId());
        assertThat(fleet.capacity.hold(job(12, SMALL))).isNull();
    }

    @Test
    void aClaimOfAnUnknownJobMakesItKnownAndStartsItsWorkflow() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);

        fleet.claim(slot, eleven);

        assertThat(fleet.holds(eleven).slotId()).isEqualTo(slot.slotId());
        assertThat(fleet.jobs.find(eleven.key())).isPresent();
        assertThat(fleet.signals()).contains("11 HOLDING " + slot.slotId() + " start");
    }

    @Test
    void aForeignJobLivesWithTheClaimAndIsNeverQueued() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        CiJob foreign = job(9, null);
        assertThat(fleet.capacity.hold(foreign)).isNull();

        fleet.claim(slot, foreign);

        assertThat(fleet.holds(foreign).slotId()).isEqualTo(slot.slotId());
        assertThat(fleet.capacity.hold(ten)).isNull();
        fleet.capacity.leave(foreign.key());
        assertThat(fleet.capacity.hold(foreign)).isNull();
        assertThat(fleet.capacity.toDismantle(foreign.key()))
                .singleElement()
                .satisfies(left -> assertThat(left.claimedJobId()).isEqualTo(9));
        assertThat(fleet.capacity.release(foreign.key(), slot.slotId())).isTrue();
        assertThat(fleet.holds(ten).slotId()).isNotEqualTo(slot.slotId());
    }

    @Test
    void aSlotBeingDismantledIsReopenedByAClaim() {
        fleet.host("a", 2);
        Holding slot = fleet.holds(ten);
        Holding other = fleet.holds(eleven);
        fleet.capacity.leave(ten.key());
        assertThat(fleet.capacity.toDismantle(ten.key())).hasSize(1);

        fleet.claim(slot, eleven);

        assertThat(fleet.holds(eleven).slotId()).isEqualTo(slot.slotId());
        assertThat(fleet.capacity.release(ten.key(), slot.slotId()))
                .as("not its any more")
                .isFalse();
        assertThat(fleet.capacity.toDismantle(ten.key()))
                .as("the owner that has left gets the claimed job's former slot to dismantle")
                .extracting(Holding::slotId)
                .containsExactly(other.slotId());
    }

    @Test
    void anOwnerThatGaveTheSlotUpKeepsItsNewSlotAndGetsTheFormerOneToDismantle() {
        fleet.host("a", 3);
        Holding given = fleet.holds(ten);
        Holding other = fleet.holds(eleven);
        fleet.capacity.giveUp(ten.key(), given.slotId(), null);
        Holding fresh = fleet.holds(ten);
        assertThat(fresh.slotId()).isNotEqualTo(given.slotId());

        fleet.claim(given, eleven);

        assertThat(fleet.holds(ten)).isEqualTo(fresh);
        assertThat(fleet.holds(eleven).slotId()).isEqualTo(given.slotId());
        assertThat(fleet.capacity.toDismantle(ten.key()))
                .extracting(Holding::slotId)
                .containsExactly(other.slotId());
    }

    @Test
    void aJobClaimedByTheSlotThatItGaveUpRunsThereAndDismantlesTheOther() {
        fleet.host("a", 2);
        Holding given = fleet.holds(ten);
        fleet.capacity.giveUp(ten.key(), given.slotId(), null);
        Holding fresh = fleet.holds(ten);

        fleet.claim(given, ten);

        assertThat(fleet.holds(ten).slotId()).isEqualTo(given.slotId());
        assertThat(fleet.capacity.toDismantle(ten.key()))
                .extracting(Holding::slotId)
                .containsExactly(fresh.slotId());
    }

    @Test
    void aClaimBySlotThatTheSweeperTookBringsItBackAndLeavesTheFormerOneToTheSweeper() {
        fleet.host("a", 2);
        Holding slot = fleet.holds(ten);
        Holding other = fleet.holds(eleven);
        assertThat(fleet.capacity.sweep(slot.slotId(), slot.generation())).isTrue();

        fleet.claim(slot, eleven);

        assertThat(fleet.holds(eleven).slotId()).isEqualTo(slot.slotId());
        assertThat(fleet.capacity.releaseSwept(slot.slotId())).isFalse();
        assertThat(fleet.slots.find(other.slotId()))
                .hasValueSatisfying(left -> assertThat(left.owner()).isNull());
        assertThat(fleet.capacity.releaseSwept(other.slotId())).isTrue();
    }

    @Test
    void aClaimedSlotCantBeGivenUp() {
        fleet.host("a", 2);
        Holding slot = fleet.holds(ten);
        fleet.claim(slot, ten);

        fleet.capacity.giveUp(ten.key(), slot.slotId(), null);

        assertThat(fleet.holds(ten).slotId()).isEqualTo(slot.slotId());
    }
}
