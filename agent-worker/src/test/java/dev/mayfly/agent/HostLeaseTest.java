package dev.mayfly.agent;

import static dev.mayfly.agent.HostRig.SLOT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.DestroyedSlot;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.job.Arch;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class HostLeaseTest {

    @TempDir
    Path folder;

    private final List<LeaseRequest> requests = new ArrayList<>();
    private final List<LeaseReply> followed = new ArrayList<>();
    private HostRig rig;
    private HostLease lease;
    private boolean away;
    private boolean broken;
    private boolean deaf;
    private long epoch = 1;

    @BeforeEach
    void start() throws IOException {
        rig = new HostRig(folder);
        lease = lease();
    }

    @AfterEach
    void stop() {
        lease.close();
        rig.close();
    }

    private HostLease lease() {
        return new HostLease(
                this::renew,
                rig.identity,
                new HostLease.Description(
                        "0.1",
                        new Capacity(8000, 10_240, 99),
                        Arch.X86_64,
                        "fake",
                        "an-image",
                        "boot-1",
                        List.of("gpu")),
                new Inventory(rig.slots, rig.journal, rig.broker, rig.meter),
                rig.fence(),
                this::follow,
                rig.clock);
    }

    private LeaseReply renew(LeaseRequest request) throws IOException {
        requests.add(request);
        if (broken) {
            throw new IllegalStateException("a bug");
        }
        if (away) {
            throw new IOException("connection refused");
        }
        return rig.lease(epoch);
    }

    private void follow(LeaseReply reply) {
        followed.add(reply);
        if (deaf) {
            throw new IllegalStateException("a bug");
        }
    }

    private void claimed(String slotId) throws IOException {
        rig.storeClaim(slotId, 7);
        rig.restart();
        HostRig.until("the claim is known", () -> rig.broker.claimedJob(slotId).isPresent());
        lease = lease();
    }

    private boolean runs(String slotId) {
        return !Objects.requireNonNull(rig.driver.vms.get(slotId)).end.isDone();
    }

    @Test
    void everyRenewalCarriesTheWholeInventory() throws Exception {
        rig.launch(SLOT);
        lease.renewOrFence();
        assertThat(requests).singleElement().satisfies(request -> {
            assertThat(request.hostId()).isEqualTo("host-1");
            assertThat(request.epoch()).isEqualTo(1);
            assertThat(request.bootId()).isEqualTo("boot-1");
            assertThat(request.labels()).containsExactly("gpu");
            assertThat(Objects.requireNonNull(request.figures()).vmStarts()).isEqualTo(1);
            assertThat(request.sentAt()).isEqualTo(rig.clock.instant());
            assertThat(request.inventory()).singleElement().satisfies(slot -> {
                assertThat(slot.slotId()).isEqualTo(SLOT);
                assertThat(slot.state()).isEqualTo("launching");
                assertThat(slot.claimedJobId()).isNull();
            });
        });
        assertThat(followed).containsExactly(rig.lease(1));
    }

    @Test
    void whatCameAndWentBetweenTwoRenewalsIsToldUntilOneIsAnswered() throws Exception {
        rig.launch(SLOT);
        rig.slots.destroy(SLOT);
        rig.slots.destroy("k3x9p-2"); // never had a VM
        away = true;
        lease.renewOrFence();
        away = false;
        epoch = 2;
        lease.renewOrFence();
        lease.renewOrFence();
        lease.renewOrFence();

        DestroyedSlot gone = new DestroyedSlot(SLOT, 1);
        assertThat(requests)
                .extracting(LeaseRequest::destroyed)
                .as("unanswered, answered with another epoch, answered")
                .containsExactly(List.of(gone), List.of(gone), List.of(gone), List.of());
    }

    @Test
    void whatAnAgentDestroyedJustBeforeItsEndIsToldByTheNext() throws Exception {
        rig.launch(SLOT);
        rig.slots.destroy(SLOT);
        rig.restart();
        lease = lease();
        lease.renewOrFence();

        assertThat(requests.get(0).destroyed()).containsExactly(new DestroyedSlot(SLOT, 1));
    }

    @Test
    void withoutTheControlPlaneUnclaimedVmsAreKilledOnceTheTimeIsOverAndClaimedOnesRunOn() throws Exception {
        rig.launch(SLOT);
        rig.launch("k3x9p-2");
        claimed("k3x9p-2");
        lease.renewOrFence();
        away = true;
        rig.clock.pass(Duration.ofSeconds(90));
        lease.renewOrFence();
        assertThat(runs(SLOT)).as("not yet").isTrue();
        rig.clock.pass(Duration.ofSeconds(1));
        lease.renewOrFence();
        assertThat(runs(SLOT)).isFalse();
        assertThat(runs("k3x9p-2")).isTrue();
    }

    @Test
    void eachRenewalStartsTheTimeAnew() throws Exception {
        rig.launch(SLOT);
        for (int i = 0; i < 5; i++) {
            rig.clock.pass(Duration.ofSeconds(60));
            lease.renewOrFence();
        }
        assertThat(runs(SLOT)).isTrue();
    }

    @Test
    void aRenewalThatFailsByABugKeepsNoVmFromBeingFenced() throws Exception {
        rig.launch(SLOT);
        broken = true;
        rig.clock.pass(Duration.ofSeconds(91));
        lease.renewOrFence();
        assertThat(runs(SLOT)).isFalse();
    }

    @Test
    void aNewerEpochIsLearntFirstAndThenAllThatIsOlderIsDestroyed() throws Exception {
        rig.launch(SLOT);
        rig.launch("k3x9p-2");
        claimed("k3x9p-2");
        epoch = 2;
        lease.renewOrFence();
        assertThat(rig.identity.epoch()).isEqualTo(2);
        assertThat(new HostIdentity(rig.stateDir, "host-1").epoch())
                .as("on disk")
                .isEqualTo(2);
        assertThat(rig.slots.all()).isEmpty();
        assertThat(rig.driver.vms).isEmpty();
    }

    @Test
    void whatCantBeDestroyedIsTriedAgainWithTheNextRenewal() throws Exception {
        rig.launch(SLOT);
        epoch = 2;
        rig.driver.destroyFails = new IOException("busy");
        lease.renewOrFence();
        assertThat(rig.slots.all()).hasSize(1);
        rig.driver.destroyFails = null;
        lease.renewOrFence();
        assertThat(rig.slots.all()).isEmpty();
    }

    @Test
    void aReplyThatCantBeFollowedIsNoReasonToDie() throws Exception {
        deaf = true;
        lease.acquire();
        assertThat(followed).hasSize(1);
    }

    @Test
    void anAgentThatEverHadALeaseStartsWithoutTheControlPlane() throws Exception {
        away = true;
        lease.acquire();
        assertThat(requests).hasSize(1);
    }
}
