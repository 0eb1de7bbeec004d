package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Leases: when a host gets slots, when not, and what becomes of those it has. */
class HostsTest extends WithFleet {

    @Test
    void aHostIsRegisteredByItsFirstCallAndRenewedByTheNext() {
        assertThat(fleet.host("a", 2)).isEqualTo(1);
        SlotReport report = new SlotReport("abcde-1", 1, "ready", 1, null);
        assertThat(fleet.lease("a", 1, 3, report)).isEqualTo(1);

        assertThat(fleet.hosts.find("a")).hasValueSatisfying(host -> {
            assertThat(host.state()).isEqualTo(HostState.READY);
            assertThat(host.capacity()).isEqualTo(new Capacity(6000, 3 * SMALL.hostMemoryMib(), 30_720));
            assertThat(host.free()).isEqualTo(host.capacity());
            assertThat(host.inventory()).containsExactly(report);
        });
    }

    @Test
    void aSilentHostGetsNoSlotsUntilItSpeaksAgain() {
        fleet.host("a", 2);
        fleet.silence(Duration.ofSeconds(30));
        assertThat(fleet.hosts.find("a")).map(HostView::state).contains(HostState.SUSPECT);

        assertThat(fleet.capacity.hold(ten)).isNull();
        fleet.lease("a", 1, 2);

        assertThat(fleet.capacity.hold(ten)).as("granted by the next pass").isNotNull();
    }

    @Test
    void aJobWaitsForAHostOfItsArchitecture() {
        VmSize small = new VmSize(Arch.ARM64, SMALL.milliCpus(), SMALL.memoryMib(), SMALL.diskMib());
        CiJob onArm = job(12, small);
        fleet.host("a", 2);
        assertThat(fleet.capacity.hold(onArm)).isNull();

        fleet.armHost("arm", 1);
        fleet.capacity.dispatch();

        Holding slot = fleet.holds(onArm);
        assertThat(slot.hostId()).isEqualTo("arm");
        assertThat(slot.size()).isEqualTo(small);
        assertThat(fleet.holds(ten).hostId()).isEqualTo("a");
        assertThat(fleet.claim(slot, ten).reply().verdict())
                .as("same amounts, other architecture")
                .isEqualTo(Verdict.VOID);
    }

    @Test
    void whatHostsWouldOfferIsKnownWhateverTheirState() {
        fleet.armHost("arm", 1);
        fleet.host("a", 1);
        fleet.holds(ten);
        fleet.loseSilentHosts();

        assertThat(fleet.hosts.offers())
                .containsExactlyInAnyOrder(
                        new HostOffer("a", Arch.X86_64, oneSmall()), new HostOffer("arm", Arch.ARM64, oneSmall()));
    }

    @Test
    void aLostHostsUnclaimedJobsGoElsewhereAndItsClaimedOnesLearnOfIt() {
        fleet.host("a", 2);
        Holding unclaimed = fleet.holds(ten);
        Holding claimed = fleet.holds(eleven);
        fleet.claim(claimed, eleven);
        fleet.signals();

        assertThat(fleet.loseSilentHosts()).containsExactly("a");

        assertThat(fleet.signals()).containsExactlyInAnyOrder("10 LOOK", "11 LOOK");
        assertThat(fleet.capacity.hold(ten)).isNull();
        assertThat(fleet.holds(eleven).slotId()).as("to be failed, not moved").isEqualTo(claimed.slotId());
        assertThat(fleet.capacity.hostIsLost("a", unclaimed.epoch())).isTrue();
        fleet.host("b", 1);
        assertThat(fleet.holds(ten).hostId()).isEqualTo("b");
        assertThat(fleet.capacity.toDismantle(ten.key()))
                .extracting(Holding::slotId)
                .containsExactly(unclaimed.slotId());
    }

    @Test
    void aLostHostComesBackEmptyOnlyWithItsNewEpoch() {
        fleet.host("a", 1);
        Holding old = fleet.holds(ten);
        fleet.loseSilentHosts();

        assertThat(fleet.lease("a", 1, 1)).as("it learns the new one").isEqualTo(2);
        assertThat(fleet.hosts.find("a")).map(HostView::state).contains(HostState.LOST);
        assertThat(fleet.capacity.hold(ten)).isNull();
        assertThat(fleet.lease("a", 2, 1)).isEqualTo(2);

        Holding fresh = fleet.holds(ten);
        assertThat(fresh.epoch()).isEqualTo(2);
        assertThat(fleet.capacity.release(ten.key(), old.slotId())).isTrue();
        assertThat(fleet.hosts.find("a"))
                .map(HostView::used)
                .as("what was reserved under the old epoch is not freed twice")
                .contains(new Capacity(SMALL.milliCpus(), SMALL.hostMemoryMib(), SMALL.diskMib()));
    }

    @Test
    void anAgentThatKnowsNoEpochOrOneTooNewVoidsWhatTheHostHad() {
        fleet.host("a", 1);
        Holding old = fleet.holds(ten);

        assertThat(fleet.lease("a", 0, 1)).as("the host was made anew").isEqualTo(2);
        assertThat(fleet.capacity.hostIsLost("a", old.epoch())).isTrue();
        assertThat(fleet.lease("a", 0, 1))
                .as("asked again, nothing more is lost")
                .isEqualTo(2);
        fleet.lease("a", 2, 1);

        assertThat(fleet.lease("a", 9, 1))
                .as("the database is older than the host")
                .isEqualTo(10);
    }

    @Test
    void silenceCountsOnlyWhileAControlPlaneCounts() {
        fleet.host("a", 1);
        fleet.hosts.tick();
        fleet.clock.pass(Duration.ofHours(1));

        assertThat(fleet.hosts.tick()).isEmpty();
        assertThat(fleet.hosts.find("a")).map(HostView::state).contains(HostState.READY);

        fleet.silence(Duration.ofSeconds(110));
        assertThat(fleet.hosts.find("a")).map(HostView::state).contains(HostState.SUSPECT);
        fleet.silence(Duration.ofSeconds(10));
        assertThat(fleet.hosts.find("a")).map(HostView::state).contains(HostState.LOST);
    }

    @Test
    void aClockThatIsSetBackCountsForNothing() {
        fleet.host("a", 1);
        fleet.hosts.tick();
        fleet.clock.pass(Duration.ofHours(-1));

        assertThat(fleet.hosts.tick()).isEmpty();
        assertThat(fleet.hosts.find("a")).map(HostView::state).contains(HostState.READY);
    }

    @Test
    void aHostMadeSmallerKeepsItsSlotsAndGetsNewOnesWhenTheyFitAgain() {
        fleet.host("a", 2);
        Holding first = fleet.holds(ten);
        fleet.holds(eleven);
        fleet.lease("a", 1, 1);
        CiJob twelve = job(12, SMALL);

        assertThat(fleet.capacity.hold(twelve)).isNull();
        assertThat(fleet.hosts.find("a")).map(host -> host.free().milliCpus()).contains(0);
        release(ten, first);
        assertThat(fleet.capacity.hold(twelve)).as("still one too many").isNull();
        release(eleven, fleet.holds(eleven));

        assertThat(fleet.holds(twelve).hostId()).isEqualTo("a");
    }

    @Test
    void leaseTimesThatDoNotRiseAreRefused() {
        Duration second = Duration.ofSeconds(1);
        assertThatThrownBy(() -> new LeaseTimes(second, second, second, second, second))
                .hasMessageContaining("must rise");
    }

    private static void release(CiJob job, Holding slot) {
        fleet.capacity.leave(job.key());
        assertThat(fleet.capacity.release(job.key(), slot.slotId())).isTrue();
    }

    private static Capacity oneSmall() {
        return new Capacity(SMALL.milliCpus(), SMALL.hostMemoryMib(), SMALL.diskMib());
    }
}
