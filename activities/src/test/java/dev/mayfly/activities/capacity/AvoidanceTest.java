package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A host that could not run a VM. */
class AvoidanceTest extends WithFleet {

    private static final String WHY = "its disk is full";

    private String givenUpAndGrantedAgain(CiJob job) {
        Holding first = fleet.holds(job);
        assertThat(first.hostId()).isEqualTo("a");
        fleet.capacity.giveUp(job.key(), first.slotId(), WHY);
        return fleet.holds(job).hostId();
    }

    @Test
    void theNextVmsGoToAnotherThatCouldDoAsWell() {
        fleet.host("a", 4);
        fleet.host("b", 4);

        assertThat(givenUpAndGrantedAgain(ten)).isEqualTo("b");
        assertThat(fleet.holds(eleven).hostId()).isEqualTo("b");
        assertThat(fleet.hosts.find("a").orElseThrow().problems())
                .singleElement()
                .asString()
                .contains("could not run a VM", WHY);
    }

    @Test
    void itIsTriedAgainAfterAWhile() {
        fleet.host("a", 4);
        fleet.host("b", 1);
        fleet.lease("b", 1, 4);
        givenUpAndGrantedAgain(ten);
        fleet.lease("b", 1, 1);
        assertThat(fleet.holds(eleven).hostId()).as("no other is as large").isEqualTo("a");

        fleet.lease("b", 1, 4);
        fleet.clock.pass(Duration.ofSeconds(61));
        assertThat(fleet.holds(job(12, SMALL)).hostId()).isEqualTo("a");
        assertThat(fleet.hosts.find("a").orElseThrow().problems()).isEmpty();
    }

    @Test
    void theOnlyOneOfItsKindGoesOnBeingTried() {
        fleet.host("a", 4);
        fleet.host("b", 4);
        label("a", "gpu");
        CiJob labelled = job(10, List.of("actuated-2cpu", "shell"), SMALL, Executor.SHELL, List.of("gpu"));

        assertThat(givenUpAndGrantedAgain(labelled)).isEqualTo("a");
    }

    @Test
    void whatIsNoFaultOfTheHostsChangesNothing() {
        fleet.host("a", 4);
        fleet.host("b", 4);
        Holding first = fleet.holds(ten);
        fleet.capacity.giveUp(ten.key(), first.slotId(), null);

        assertThat(fleet.holds(ten).hostId()).isEqualTo("a");
        assertThat(fleet.hosts.find("a").orElseThrow().problems()).isEmpty();
    }

    private static void label(String host, String label) {
        fleet.database
                .jdbi()
                .useHandle(
                        handle -> handle.execute("update host set given_labels = array[?] where id = ?", label, host));
    }
}
