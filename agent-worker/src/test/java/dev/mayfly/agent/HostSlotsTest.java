package dev.mayfly.agent;

import static dev.mayfly.agent.HostRig.SLOT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.journal.SlotRecord;
import dev.mayfly.agent.journal.SlotRecord.Stage;
import dev.mayfly.workflows.activity.FailureType;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class HostSlotsTest {

    @TempDir
    Path folder;

    private HostRig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new HostRig(folder);
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    private FailureType failure(Runnable call) {
        ApplicationFailure failure = catchThrowableOfType(ApplicationFailure.class, call::run);
        return FailureType.valueOf(failure.getType());
    }

    private FakeDriver.Vm vm() {
        return Objects.requireNonNull(rig.driver.vms.get(SLOT));
    }

    private List<SlotRecord> journalled() {
        try {
            return rig.journal.readAll().records();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void aSlotIsInTheJournalBeforeItsVmStarts() {
        List<SlotRecord> seen = new ArrayList<>();
        rig.driver.onStart = vm -> seen.addAll(journalled());
        rig.launch(SLOT);
        assertThat(seen).singleElement().satisfies(record -> {
            assertThat(record.slotId()).isEqualTo(SLOT);
            assertThat(record.bootNumber()).isEqualTo(1);
            assertThat(record.stage()).isEqualTo(Stage.ACTIVE);
        });
    }

    @Test
    void noVmStartsIfTheJournalCantBeWritten() throws Exception {
        Files.createDirectories(rig.journal.folder(SLOT).resolve(".slot.json.new"));
        assertThat(failure(() -> rig.launch(SLOT))).isEqualTo(FailureType.LAUNCH_FAILED);
        assertThat(rig.driver.calls).isEmpty();
    }

    @Test
    void theSameSlotGivesTheSameVmAndADeadOneIsStartedAnewUntilItWasServed() throws Exception {
        assertThat(rig.launch(SLOT)).isEqualTo(1);
        assertThat(rig.launch(SLOT)).isEqualTo(1);
        vm().die(Cause.VMM_EXITED, "signal 9");
        assertThat(rig.launch(SLOT)).isEqualTo(2);
        Objects.requireNonNull(rig.slots.find(SLOT)).markServed();
        vm().die(Cause.VMM_EXITED, "signal 9");
        assertThat(rig.launch(SLOT)).as("its job may have run").isEqualTo(2);
        assertThat(rig.driver.calls).containsExactly("start k3x9p-1 1", "start k3x9p-1 2");
        assertThat(journalled()).singleElement().extracting(SlotRecord::served).isEqualTo(true);
    }

    @Test
    void aGuestThatCouldNotBeConfiguredFailsOneLaunchWithItsReasonAndTheNextBootsAnew() {
        rig.launch(SLOT);
        vm().die(Cause.GUEST_UNUSABLE, "the guest could not be configured: no eth0");
        assertThatThrownBy(() -> rig.launch(SLOT))
                .hasMessageContaining("slot k3x9p-1 on host-1")
                .hasMessageContaining("no eth0");
        assertThat(rig.launch(SLOT)).isEqualTo(2);
    }

    @Test
    void aVmmThatRefusedFailsOneLaunchWithItsReasonAndTheNextBootsAnew() {
        rig.launch(SLOT);
        vm().die(Cause.VMM_REFUSED, "qemu-system-x86_64: could not open /dev/net/tun");
        assertThatThrownBy(() -> rig.launch(SLOT)).hasMessageContaining("could not open /dev/net/tun");
        assertThat(rig.launch(SLOT)).isEqualTo(2);
    }

    @Test
    void aTombstoneIsForEverAlsoWhereNoVmEverRan() throws Exception {
        rig.launch(SLOT);
        rig.slots.destroy(SLOT);
        rig.slots.destroy("k3x9p-2");
        assertThat(failure(() -> rig.launch(SLOT))).isEqualTo(FailureType.TOMBSTONE);
        assertThat(failure(() -> rig.launch("k3x9p-2"))).isEqualTo(FailureType.TOMBSTONE);
        rig.restart();
        assertThat(failure(() -> rig.launch(SLOT))).as("after a restart").isEqualTo(FailureType.TOMBSTONE);
        assertThat(rig.slots.find(SLOT)).isNull();
        assertThat(rig.runDir.resolve(SLOT)).as("its secrets").doesNotExist();
        assertThat(rig.journal.folder(SLOT)).doesNotExist();
    }

    @Test
    void aDestroyThatFailedKeepsTheSlotAndItsNumberUntilItSucceeds() throws Exception {
        rig.launch(SLOT);
        rig.driver.destroyFails = new IOException("device busy");
        assertThatThrownBy(() -> rig.slots.destroy(SLOT)).hasMessageContaining("device busy");

        assertThat(journalled()).singleElement().extracting(SlotRecord::stage).isEqualTo(Stage.DESTROYING);
        assertThat(failure(() -> rig.launch(SLOT))).isEqualTo(FailureType.TOMBSTONE);
        assertThat(rig.broker
                        .settleBeforeDestroy(
                                Objects.requireNonNull(Objects.requireNonNull(rig.slots.find(SLOT))
                                        .boot()),
                                null)
                        .toCompletableFuture()
                        .get(5, java.util.concurrent.TimeUnit.SECONDS))
                .as("the broker still knows it")
                .isNotNull();
        for (int i = 2; i <= 4; i++) {
            rig.launch("k3x9p-" + i);
        }
        assertThat(failure(() -> rig.launch("k3x9p-5")))
                .as("its number is not free")
                .isEqualTo(FailureType.HOST_UNFIT);

        rig.driver.destroyFails = null;
        rig.slots.destroy(SLOT);
        assertThat(rig.launch("k3x9p-5")).isEqualTo(1);
    }

    @Test
    void onAFullDiskAVmIsStillEndedAndItsDiskErased() throws Exception {
        rig.launch(SLOT);
        Files.createDirectories(rig.journal.folder(SLOT).resolve(".slot.json.new"));
        assertThatThrownBy(() -> rig.slots.destroy(SLOT)).isInstanceOf(IOException.class);
        assertThat(rig.driver.calls).contains("destroy k3x9p-1");
        Files.delete(rig.journal.folder(SLOT).resolve(".slot.json.new"));
        rig.slots.destroy(SLOT);
        assertThat(rig.slots.isBuried(SLOT)).isTrue();
    }

    @Test
    void noNumberLeftIsToldWithItsCureAndAReleasedOneIsUsedAgain() throws Exception {
        for (int i = 1; i <= 4; i++) {
            rig.launch("k3x9p-" + i);
        }
        assertThatThrownBy(() -> rig.launch("k3x9p-5")).hasMessageContaining("widen addressPool or uidRange");
        rig.slots.destroy("k3x9p-2");
        assertThat(rig.launch("k3x9p-5")).isEqualTo(1);
        assertThat(journalled().stream().map(SlotRecord::index).distinct()).hasSize(4);
    }

    @Test
    void whatIsWrongWithTheHostIsToldApartFromWhatMayPass() {
        rig.driver.unfit = "no room for a scratch disk";
        assertThat(failure(() -> rig.launch(SLOT))).isEqualTo(FailureType.HOST_UNFIT);
        rig.driver.unfit = null;
        rig.driver.startFails = new IOException("its VM did not start within 20 s");
        assertThat(failure(() -> rig.launch(SLOT))).isEqualTo(FailureType.LAUNCH_FAILED);
        rig.driver.startFails = null;
        assertThat(rig.launch(SLOT)).isEqualTo(3);
    }

    @Test
    void noVmStartsBehindAShutGate() {
        rig.gate = "the packet filter is not set";
        assertThatThrownBy(() -> rig.launch(SLOT)).hasMessageContaining("the packet filter is not set");
        assertThat(rig.driver.calls).isEmpty();
        rig.gate = "";
        assertThat(rig.launch(SLOT)).isEqualTo(1);
    }

    @Test
    void whatIsNoSlotsIdNamesNoFile() {
        for (String bad : List.of("../../etc", "", "k3x9p-1/..", "K3X9P-1")) {
            assertThat(failure(() -> rig.launch(bad))).as(bad).isEqualTo(FailureType.HOST_UNFIT);
            assertThatThrownBy(() -> rig.slots.destroy(bad)).hasMessageContaining("no slot's id");
        }
    }
}
