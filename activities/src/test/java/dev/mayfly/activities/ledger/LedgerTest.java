package dev.mayfly.activities.ledger;

import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.Fleet;
import dev.mayfly.activities.capacity.WithFleet;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.DestroyedSlot;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import dev.mayfly.workflows.job.CiJob;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the ledger says after each deed, and after what interrupts deeds. */
class LedgerTest extends WithFleet {

    private static final List<String> OF_HOST = List.of("vm", "disk", "namespace", "tap", "cgroup");

    @BeforeEach
    void oneHost() {
        fleet.host("a", 2);
    }

    @AfterEach
    void theLedgerIsLikeTheTables() {
        assertThat(fleet.ledger.unlikeTables()).isEmpty();
        assertThat(fleet.ledger.counts(null))
                .allSatisfy(kind -> assertThat(kind.created()).isEqualTo(kind.destroyed() + kind.live()));
    }

    private static LedgerCount count(String kind, Instant since) {
        return fleet.ledger.counts(since).stream()
                .filter(count -> count.kind().equals(kind))
                .findFirst()
                .orElseThrow();
    }

    /** As {@code created/destroyed}. */
    private static String balance(String kind) {
        LedgerCount count = count(kind, Instant.EPOCH);
        return count.created() + "/" + count.destroyed();
    }

    private static SlotReport said(Holding slot, int boots) {
        return new SlotReport(slot.slotId(), slot.epoch(), "ready", boots, null);
    }

    private static void leaveAndRelease(CiJob job, Holding slot) {
        fleet.capacity.leave(job.key());
        assertThat(fleet.capacity.release(job.key(), slot.slotId())).isTrue();
    }

    private static void sql(String statement, Object... values) {
        fleet.database.jdbi().useHandle(handle -> handle.execute(statement, values));
    }

    private static void makeRunner(String slotId, long runnerId) {
        sql(
                "insert into runner (slot_id, instance, project_id, runner_id, tags, token, created_at)"
                        + " values (?, 'gl', 7, ?, '{a}', '\\x00', now())",
                slotId,
                runnerId);
    }

    @Test
    void aGrantIsEnteredAndItsReleaseToo() {
        Holding slot = fleet.holds(ten);

        assertThat(balance("reservation")).isEqualTo("1/0");
        assertThat(balance("holding")).isEqualTo("1/0");
        assertThat(fleet.ledger.live()).first().satisfies(entry -> {
            assertThat(entry.slotId()).isEqualTo(slot.slotId());
            assertThat(entry.jobKey()).isEqualTo(ten.key().workflowId());
            assertThat(entry.owner()).isEqualTo(ten.key().workflowId());
            assertThat(entry.hostId()).isEqualTo("a");
            assertThat(entry.createdAt()).isEqualTo(fleet.clock.instant());
        });

        leaveAndRelease(ten, slot);
        assertThat(balance("reservation")).isEqualTo("1/1");
        assertThat(balance("holding")).isEqualTo("1/1");
        assertThat(fleet.ledger.live()).isEmpty();
    }

    @Test
    void aGrantThatIsRolledBackIsNotEntered() {
        fleet.capacity.hold(ten);
        fleet.capacity.hold(eleven);
        fleet.capacity.hold(job(12, Fleet.SMALL)); // no room

        assertThat(balance("reservation")).isEqualTo("2/0");
    }

    @Test
    void aClaimedJobsTokenIsSealedUntilItsSlotIsReleased() {
        Holding slot = fleet.holds(ten);
        fleet.claim(slot, ten);
        fleet.claim(slot, ten);
        assertThat(balance("job-token")).isEqualTo("1/0");

        leaveAndRelease(ten, slot);
        assertThat(balance("job-token")).isEqualTo("1/1");
    }

    @Test
    void whatAHostMadeIsEnteredByItsLeaseAndClosedByTheRelease() {
        Holding slot = fleet.holds(ten);
        assertThat(balance("vm")).as("nobody has told of one").isEqualTo("0/0");
        fleet.lease("a", 1, 2, said(slot, 0));
        assertThat(balance("vm")).as("journalled, not started").isEqualTo("0/0");

        fleet.lease("a", 1, 2, said(slot, 1));
        fleet.lease("a", 1, 2, said(slot, 1));
        assertThat(OF_HOST).allSatisfy(kind -> assertThat(balance(kind)).isEqualTo("1/0"));

        leaveAndRelease(ten, slot);
        assertThat(OF_HOST).allSatisfy(kind -> assertThat(balance(kind)).isEqualTo("1/1"));
        fleet.lease("a", 1, 2, said(slot, 1));
        assertThat(balance("vm")).as("a renewal that was under way comes late").isEqualTo("1/1");
    }

    @Test
    void eachBootIsAVmOfItsOwn() {
        Holding slot = fleet.holds(ten);
        fleet.lease("a", 1, 2, said(slot, 1));
        fleet.lease("a", 1, 2, said(slot, 3));

        assertThat(balance("vm")).isEqualTo("3/2");
        fleet.lease("a", 1, 2);
        assertThat(balance("vm")).as("the inventory is all there is").isEqualTo("3/3");
    }

    @Test
    void whatCameAndWentBetweenTwoLeasesIsEnteredAsSuch() {
        Holding slot = fleet.holds(ten);
        leaveAndRelease(ten, slot);
        List<DestroyedSlot> gone = List.of(new DestroyedSlot(slot.slotId(), 2));
        fleet.lease("a", 1, 2, "qemu", List.of(said(slot, 2)), gone);
        fleet.lease("a", 1, 2, "qemu", List.of(), gone);

        assertThat(OF_HOST).allSatisfy(kind -> assertThat(balance(kind)).isEqualTo("2/2"));
    }

    @Test
    void whatOnlyTheListOfTheDestroyedNamesIsEnteredAsGone() {
        Holding slot = fleet.holds(ten);
        fleet.lease("a", 1, 2, "qemu", List.of(), List.of(new DestroyedSlot(slot.slotId(), 2)));

        assertThat(OF_HOST).allSatisfy(kind -> assertThat(balance(kind)).isEqualTo("2/2"));
    }

    @Test
    void aRenewalThatComesLateIsPutRightByTheNext() {
        Holding slot = fleet.holds(ten);
        fleet.lease("a", 1, 2, said(slot, 1));
        fleet.lease("a", 1, 2);
        assertThat(balance("vm")).isEqualTo("1/1");

        fleet.lease("a", 1, 2, said(slot, 1));
        assertThat(balance("vm")).isEqualTo("1/0");
    }

    @Test
    void whatALostHostHadLivesUntilItsNextAgentSaysThatItIsGone() {
        Holding slot = fleet.holds(ten);
        fleet.lease("a", 1, 2, said(slot, 1));
        fleet.loseSilentHosts();
        leaveAndRelease(ten, slot);

        assertThat(balance("reservation")).isEqualTo("1/1");
        assertThat(fleet.ledger.live())
                .hasSize(OF_HOST.size())
                .allSatisfy(entry -> assertThat(entry.hostLost()).isTrue());
        fleet.lease("a", 1, 2, said(slot, 1));
        fleet.lease("a", 2, 2, said(slot, 1));
        assertThat(balance("vm")).as("it could not be destroyed yet").isEqualTo("1/0");
        fleet.lease("a", 2, 2);
        assertThat(fleet.ledger.live()).isEmpty();
    }

    /** Where the hosts' inventories differ. */
    private static List<String> unlike() {
        return fleet.ledger.unlikeInventories().stream()
                .map(difference -> difference.source() + ": " + difference.what())
                .toList();
    }

    @Test
    void whatAHostHasThoughItWasReleasedIsADifference() {
        Holding slot = fleet.holds(ten);
        fleet.lease("a", 1, 2, said(slot, 1));
        leaveAndRelease(ten, slot);
        assertThat(unlike()).as("the inventory is older than the release").isEmpty();

        fleet.clock.pass(Duration.ofSeconds(1));
        fleet.lease("a", 1, 2, said(slot, 1));
        assertThat(unlike())
                .containsExactly("host a: it still has %s (ready), which was released".formatted(slot.slotId()));
        fleet.lease("a", 1, 2);
        assertThat(unlike()).isEmpty();
    }

    @Test
    void aSlotOfWhichNothingIsThereAfterAMinuteIsADifference() {
        Holding slot = fleet.holds(ten);
        fleet.clock.pass(Duration.ofSeconds(60));
        fleet.lease("a", 1, 2);
        assertThat(unlike()).as("it may be just about to be launched").isEmpty();

        fleet.clock.pass(Duration.ofSeconds(1));
        fleet.lease("a", 1, 2);
        assertThat(unlike())
                .containsExactly("host a: %s has been granted for more than a minute, and nothing of it is there"
                        .formatted(slot.slotId()));
        fleet.lease("a", 1, 2, said(slot, 1));
        assertThat(unlike()).isEmpty();
    }

    @Test
    void whatALostHostHadIsADifferenceUntilItsNextAgentSaysThatItIsGone() {
        Holding slot = fleet.holds(ten);
        fleet.lease("a", 1, 2, said(slot, 1));
        fleet.loseSilentHosts();

        assertThat(unlike())
                .containsExactly(
                        "host a: %s had cgroup, disk, namespace, tap, vm when it was LOST;".formatted(slot.slotId())
                                + " its agent has not said yet that all is gone");
        fleet.lease("a", 2, 2);
        assertThat(unlike()).isEmpty();
    }

    @Test
    void aHostEntersOnlyWhatIsItsOwn() {
        Holding slot = fleet.holds(ten);
        fleet.host("b", 1);
        fleet.lease("b", 1, 1, said(slot, 1), new SlotReport("abcde-1", 1, "ready", 1, null));

        assertThat(balance("vm")).isEqualTo("0/0");
    }

    @Test
    void aSimulatedVmHasNothingBesidesItself() {
        Holding slot = fleet.holds(ten);
        fleet.lease("a", 1, 2, "simulated", List.of(said(slot, 1)), List.of());

        assertThat(balance("vm")).isEqualTo("1/0");
        assertThat(balance("disk")).isEqualTo("0/0");
    }

    @Test
    void aRunnerAndItsTokenGoTogetherWhoeverRemovesIt() {
        Holding slot = fleet.holds(ten);
        makeRunner(slot.slotId(), 100);
        assertThat(balance("runner")).isEqualTo("1/0");
        sql("delete from runner where runner_id = 100"); // somebody removed it from GitLab
        makeRunner(slot.slotId(), 101);
        assertThat(balance("runner-token")).isEqualTo("2/1");

        sql("update runner set removed_at = now(), token = null where runner_id = 101");
        assertThat(balance("runner")).isEqualTo("2/2");
        assertThat(balance("runner-token")).isEqualTo("2/2");
    }

    @Test
    void aRunnerThatIsRemovedTwiceWentTheFirstTime() {
        Holding slot = fleet.holds(ten);
        makeRunner(slot.slotId(), 100);
        sql("update runner set removed_at = now() - interval '1 day', token = null where runner_id = 100");
        sql("update runner set removed_at = now() where runner_id = 100");

        Instant between = Instant.now().minus(Duration.ofHours(1));
        assertThat(count("runner", between).destroyed()).isZero();
        assertThat(count("runner", Instant.EPOCH).destroyed()).isEqualTo(1);
    }

    @Test
    void aJobsSlotsAreToldInOrderWithWhatRanThere() {
        Holding forTen = fleet.holds(ten);
        Holding forEleven = fleet.holds(eleven);
        makeRunner(forEleven.slotId(), 200);
        fleet.lease("a", 1, 2, said(forTen, 1), said(forEleven, 2));
        fleet.clock.pass(Duration.ofSeconds(5));
        fleet.claim(forEleven, ten);

        List<HeldSlot> slots = fleet.ledger.slotsOf(ten.key());
        assertThat(slots).extracting(HeldSlot::slotId).containsExactly(forTen.slotId(), forEleven.slotId());
        assertThat(slots.get(0)).satisfies(earlier -> {
            assertThat(earlier.until()).isNotNull();
            assertThat(earlier.claimedAt()).isNull();
            assertThat(earlier.runnerId()).isNull();
        });
        assertThat(slots.get(1)).satisfies(now -> {
            assertThat(now.until()).isNull();
            assertThat(now.claimedAt()).isEqualTo(fleet.clock.instant());
            assertThat(now.runnerId()).isEqualTo(200);
            assertThat(now.image()).isEqualTo("an-image");
            assertThat(now.vms()).isEqualTo(2);
        });
        assertThat(fleet.ledger.slotsOf(eleven.key()))
                .extracting(HeldSlot::slotId)
                .containsExactly(forEleven.slotId(), forTen.slotId());
    }

    @Test
    void whatLivedBeforeAndWhatCameSinceIsWhatWentAndWhatLives() {
        Holding first = fleet.holds(ten);
        fleet.clock.pass(Duration.ofMinutes(1));
        Instant since = fleet.clock.instant();
        fleet.holds(eleven);
        leaveAndRelease(ten, first);

        assertThat(count("reservation", since)).isEqualTo(new LedgerCount("reservation", 1, 1, 1, 1));
    }

    @Test
    void aLeaseAndAReleaseNeverWaitForEachOther() throws Exception {
        AtomicReference<SlotReport> said = new AtomicReference<>(new SlotReport("abcde-1", 1, "ready", 1, null));
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> leases = CompletableFuture.runAsync(() -> {
            while (!over.get()) {
                fleet.lease("a", 1, 2, Objects.requireNonNull(said.get()));
            }
        });
        for (long id = 100; id < 250; id++) {
            CiJob job = job(id, Fleet.SMALL);
            Holding slot = fleet.holds(job);
            said.set(said(slot, 1));
            leaveAndRelease(job, slot);
        }
        over.set(true);
        leases.get(20, TimeUnit.SECONDS);
        fleet.lease("a", 1, 2);
        assertThat(fleet.ledger.live()).isEmpty();
    }

    @Test
    void aChangeByHandIsFound() {
        Holding slot = fleet.holds(ten);
        sql("delete from ledger where kind = 'reservation'");
        sql("insert into ledger values ('runner', ?, 5, 'x', 'a', null, now(), null)", slot.slotId());

        assertThat(fleet.ledger.unlikeTables())
                .extracting(Difference::what)
                .containsExactly(
                        "the ledger has an entry of the runner of %s, which is gone".formatted(slot.slotId()),
                        "the ledger has no entry of the reservation of %s".formatted(slot.slotId()));
        fleet.empty();
    }
}
