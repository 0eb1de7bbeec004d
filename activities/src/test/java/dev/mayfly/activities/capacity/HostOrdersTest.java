package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What operators order hosts to do, and what hosts tell of themselves that keeps VMs off them. */
class HostOrdersTest extends WithFleet {

    private HostOrders orders;

    @BeforeEach
    void giveOrders() {
        orders = new HostOrders(fleet.database.jdbi(), fleet.clock, fleet.outbox);
    }

    private Hosts.Lease call(String boot, long epoch, String version, Instant sentAt) {
        return fleet.hosts.lease(new LeaseRequest(
                "a",
                version,
                new Capacity(4000, 16_384, 40_960),
                Arch.X86_64,
                "qemu",
                epoch,
                List.of(),
                List.of(),
                null,
                boot,
                sentAt,
                List.of("own"),
                null));
    }

    private Hosts.Lease call(String boot) {
        return call(boot, 1, "1", fleet.clock.instant());
    }

    private HostView host() {
        return fleet.hosts.find("a").orElseThrow();
    }

    @Test
    void aDrainedHostKeepsItsVmsAndGetsNoMoreUntilItIsUndrained() {
        fleet.host("a", 3);
        Holding before = fleet.holds(ten);
        assertThat(orders.drain("a")).isTrue();

        assertThat(host().state()).isEqualTo(HostState.DRAINING);
        assertThat(host().drained()).as("one VM is there").isFalse();
        assertThat(fleet.capacity.hold(eleven)).isNull();
        assertThat(fleet.holds(ten)).isEqualTo(before);
        fleet.lease("a", 1, 3);
        assertThat(host().state()).as("a renewal changes nothing").isEqualTo(HostState.DRAINING);

        fleet.capacity.leave(ten.key());
        fleet.capacity.release(ten.key(), before.slotId());
        assertThat(host().drained()).isTrue();
        assertThat(fleet.capacity.dispatch()).as("eleven waits").isZero();

        assertThat(orders.undrain("a")).isTrue();
        assertThat(fleet.capacity.dispatch()).isEqualTo(1);
        assertThat(host().state()).isEqualTo(HostState.READY);
    }

    @Test
    void aDrainSurvivesTheHostsLoss() {
        fleet.host("a", 1);
        orders.drain("a");
        Instant since = host().drainingSince();
        fleet.loseSilentHosts();
        assertThat(host().state()).isEqualTo(HostState.LOST);
        fleet.lease("a", 2, 1);
        assertThat(host().state()).isEqualTo(HostState.DRAINING);
        orders.drain("a");
        assertThat(host().drainingSince()).as("since the first word").isEqualTo(since);
    }

    @Test
    void aDrainedHostRebootsOnceItIsEmptyAndThenTakesVmsAgain() {
        call("boot-1", 0, "1", fleet.clock.instant());
        Holding slot = fleet.holds(ten);
        assertThat(orders.rebootWhenEmpty("a")).isTrue();
        assertThat(call("boot-1").reboot()).as("a VM is there").isFalse();
        fleet.capacity.leave(ten.key());
        fleet.capacity.release(ten.key(), slot.slotId());

        assertThat(call("boot-1").reboot()).isTrue();
        assertThat(host().rebootsWhenEmpty()).isTrue();

        assertThat(call("boot-2").reboot()).isFalse();
        assertThat(host().state()).isEqualTo(HostState.READY);
        assertThat(host().rebootsWhenEmpty()).isFalse();
    }

    @Test
    void aRebootIsCalledOffByUndrain() {
        call("boot-1", 0, "1", fleet.clock.instant());
        orders.rebootWhenEmpty("a");
        orders.undrain("a");
        assertThat(call("boot-1").reboot()).isFalse();
        assertThat(host().state()).isEqualTo(HostState.READY);
    }

    @Test
    void aHostThatDoesNotTellItsBootsApartIsNotRebooted() {
        fleet.host("a", 1);
        assertThatThrownBy(() -> orders.rebootWhenEmpty("a")).hasMessageContaining("upgrade its agent");
        assertThat(host().state()).as("nothing was begun").isEqualTo(HostState.READY);
    }

    @Test
    void aHostHasTheLabelsOfItsAgentAndThoseThatOperatorsGaveIt() {
        call("boot-1", 0, "1", fleet.clock.instant());
        assertThat(orders.label("a", "rack-7")).isTrue();
        assertThat(orders.label("a", "rack-7")).as("again").isTrue();
        assertThat(host().labels()).containsExactly("own", "rack-7");
        call("boot-1");
        assertThat(host().labels()).as("a renewal changes nothing").containsExactly("own", "rack-7");

        assertThat(orders.unlabel("a", "rack-7")).isTrue();
        assertThat(orders.unlabel("a", "never-given")).isTrue();
        assertThat(host().labels()).containsExactly("own");
        assertThatThrownBy(() -> orders.unlabel("a", "own")).hasMessageContaining("remove it there");
        assertThatThrownBy(() -> orders.label("a", "no label")).hasMessageContaining("'no label' is no host's label");
        assertThat(orders.label("nobody", "gpu")).isFalse();
    }

    @Test
    void aJobThatAsksForALabelRunsOnlyWhereItIs() {
        fleet.host("a", 1);
        CiJob labelled = Fleet.job(12, List.of("actuated"), Fleet.SMALL, Executor.SHELL, List.of("gpu"));
        assertThat(fleet.capacity.hold(labelled)).isNull();
        orders.label("a", "gpu");
        assertThat(fleet.capacity.dispatch()).isEqualTo(1);
        assertThat(fleet.holds(labelled).hostId()).isEqualTo("a");
    }

    @Test
    void ofTwoMachinesThatCallAsOneHostTheElderGetsNoLease() {
        call("boot-1", 0, "1", fleet.clock.instant());
        call("boot-2");
        assertThatThrownBy(() -> call("boot-1"))
                .isInstanceOf(TwoMachinesException.class)
                .hasMessageContaining("credential of its own");
        assertThat(call("boot-2").epoch()).isEqualTo(1);
    }

    @Test
    void onlyALostHostIsForgottenAndWhenItCallsAgainItIsThere() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        assertThatThrownBy(() -> orders.forget("a")).hasMessageContaining("stop its agent");
        fleet.loseSilentHosts();
        assertThatThrownBy(() -> orders.forget("a"))
                .hasMessageContaining("host a has slots that are being cleaned up (1)");
        fleet.capacity.leave(ten.key());
        fleet.capacity.release(ten.key(), slot.slotId());

        assertThat(orders.forget("a")).isTrue();
        assertThat(orders.forget("a")).as("a second time").isFalse();
        assertThat(fleet.hosts.list()).isEmpty();
        assertThat(fleet.hosts.offers()).isEmpty();
        assertThat(fleet.hosts.find("a")).isEmpty();
        assertThat(orders.drain("a")).isFalse();

        assertThat(fleet.lease("a", 1, 1)).as("what it had is void").isEqualTo(2);
        fleet.lease("a", 2, 1);
        assertThat(host().state()).isEqualTo(HostState.READY);
    }

    @Test
    void ordersToAnUnknownHostAreRefused() {
        assertThat(orders.drain("nobody")).isFalse();
        assertThat(orders.undrain("nobody")).isFalse();
        assertThat(orders.rebootWhenEmpty("nobody")).isFalse();
        assertThat(orders.forget("nobody")).isFalse();
    }

    @Test
    void anAgentThatIsTooOldGetsNoVmsAndSaysWhatToDo() {
        call("boot-1", 0, "0.9", fleet.clock.instant());
        assertThat(fleet.capacity.hold(job(12, SMALL))).isNull();
        assertThat(host().state()).isEqualTo(HostState.DRAINING);
        assertThat(host().problems()).singleElement().asString().contains("0.9", "agents.minimumVersion 1", "upgrade");

        call("boot-1", 1, "1.0.1", fleet.clock.instant());
        assertThat(host().problems()).isEmpty();
        assertThat(fleet.capacity.dispatch()).isEqualTo(1);
        call("boot-1", 1, "development", fleet.clock.instant());
        assertThat(host().state()).as("built by hand").isEqualTo(HostState.READY);
    }

    @Test
    void aClockThatIsOffIsNoticedAndKeepsNoVmsAway() {
        call("boot-1", 0, "1", fleet.clock.instant().minus(Duration.ofMinutes(10)));
        assertThat(host().problems())
                .containsExactly("its clock is 600 s behind the control plane's; have both set by NTP");
        assertThat(Objects.requireNonNull(fleet.capacity.hold(ten)).hostId()).isEqualTo("a");
        call("boot-1", 1, "1", fleet.clock.instant().plusSeconds(59));
        assertThat(host().problems()).isEmpty();
    }
}
