package dev.mayfly.agent;

import dev.mayfly.agent.claim.ClaimBroker;
import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.agent.journal.SlotJournal;
import dev.mayfly.agent.journal.SlotRecord;
import dev.mayfly.agent.journal.SlotRecord.Stage;
import dev.mayfly.agent.vm.CleanUp;
import dev.mayfly.agent.vm.DeadVm;
import dev.mayfly.agent.vm.HostUnfitException;
import dev.mayfly.agent.vm.MicroVm;
import dev.mayfly.agent.vm.MicroVmDriver;
import dev.mayfly.agent.vm.SlotNames;
import dev.mayfly.agent.vm.VmSpec;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.VmActivities.LaunchRequest;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every slot of this host: starts and destroys their VMs, one step at a time per slot. What it promises holds across a
 * crash at any point, because the journal is written before each step and {@link StartupReclaim} reads it.
 */
final class HostSlots {

    private static final Logger log = LoggerFactory.getLogger(HostSlots.class);

    private final Map<String, HostSlot> slots = new ConcurrentHashMap<>();
    /** Held while a slot is created or buried unborn, so that one of the two comes first. */
    private final Object births = new Object();

    private final SecureRandom random = new SecureRandom();
    private final SlotJournal journal;
    private final MicroVmDriver driver;
    private final ClaimBroker broker;
    private final HostIdentity identity;
    private final IndexPool indexes;
    private final LaunchGate gate;
    private final Path runDir;
    private final HostMeter meter;

    /** What must hold before any VM starts. */
    @FunctionalInterface
    interface LaunchGate {

        /** @throws HostUnfitException if no VM may start now; the message names the cure */
        void check() throws HostUnfitException;
    }

    HostSlots(
            SlotJournal journal,
            MicroVmDriver driver,
            ClaimBroker broker,
            HostIdentity identity,
            IndexPool indexes,
            LaunchGate gate,
            Path runDir,
            HostMeter meter) {
        this.journal = journal;
        this.driver = driver;
        this.broker = broker;
        this.identity = identity;
        this.indexes = indexes;
        this.gate = gate;
        this.runDir = runDir;
        this.meter = meter;
    }

    /** The slot, null if this host has none of that id. */
    @Nullable
    HostSlot find(String slotId) {
        return slots.get(slotId);
    }

    Collection<HostSlot> all() {
        return List.copyOf(slots.values());
    }

    boolean isBuried(String slotId) {
        return journal.isBuried(slotId);
    }

    /** Ensures that the slot's VM runs, or has run once its payload was served; returns its boot number. */
    int launch(LaunchRequest request) {
        requireSlotId(request.slotId());
        HostSlot slot = findOrCreate(request);
        slot.lifecycle().lock();
        try {
            if (slot.gone() || slot.record().stage() == Stage.DESTROYING) {
                throw tombstone(request.slotId());
            }
            BootedVm boot = slot.boot();
            if (boot == null) {
                return boot(slot);
            }
            if (!boot.hasEnded() || slot.record().served()) {
                return boot.bootNumber();
            }
            boot.takeUnusable().ifPresent(why -> {
                throw launchFailed(slot, why);
            });
            return boot(slot);
        } finally {
            slot.lifecycle().unlock();
        }
    }

    /** Names of files and networks are made of it. */
    private void requireSlotId(String slotId) {
        if (!SlotNames.isSlotId(slotId)) {
            throw FailureType.HOST_UNFIT.failure(
                    "%s was asked for '%s', which is no slot's id".formatted(identity.hostId(), slotId));
        }
    }

    private HostSlot findOrCreate(LaunchRequest request) {
        synchronized (births) {
            if (isBuried(request.slotId())) {
                throw tombstone(request.slotId());
            }
            return slots.computeIfAbsent(request.slotId(), id -> new HostSlot(journal, fresh(request)));
        }
    }

    private ApplicationFailure tombstone(String slotId) {
        return FailureType.TOMBSTONE.failure("slot %s on %s was destroyed".formatted(slotId, identity.hostId()));
    }

    private SlotRecord fresh(LaunchRequest request) {
        int index = indexes.take();
        if (index < 0) {
            throw FailureType.HOST_UNFIT.failure(
                    "slot %s: %s has no address or user id left; widen addressPool or uidRange in agent.yml"
                            .formatted(request.slotId(), identity.hostId()));
        }
        byte[] machineId = new byte[16];
        random.nextBytes(machineId);
        return new SlotRecord(
                request.slotId(),
                request.epoch(),
                request.size(),
                request.instance(),
                request.title(),
                Stage.ACTIVE,
                0,
                false,
                index,
                HexFormat.of().formatHex(machineId));
    }

    private int boot(HostSlot slot) {
        String slotId = slot.record().slotId();
        try {
            gate.check();
            slot.beginBoot();
            Path secrets = secretDirectory(slotId);
            Files.createDirectories(secrets);
            Files.setPosixFilePermissions(secrets, PosixFilePermissions.fromString("rwx------"));
            take(slot, meter.count(driver::start, spec(slot.record())));
            log.info(
                    "slot {}: boot {} started for {}",
                    slotId,
                    slot.record().bootNumber(),
                    slot.record().title());
            return slot.record().bootNumber();
        } catch (HostUnfitException e) {
            take(slot, new DeadVm(String.valueOf(e.getMessage())));
            throw FailureType.HOST_UNFIT.failure(
                    "slot %s on %s: %s".formatted(slotId, identity.hostId(), e.getMessage()), e);
        } catch (IOException e) {
            log.warn("slot {}: boot {} failed", slotId, slot.record().bootNumber(), e);
            take(slot, new DeadVm(String.valueOf(e.getMessage())));
            throw launchFailed(slot, String.valueOf(e.getMessage()));
        }
    }

    private ApplicationFailure launchFailed(HostSlot slot, String why) {
        return FailureType.LAUNCH_FAILED.failure(
                "slot %s on %s: %s".formatted(slot.record().slotId(), identity.hostId(), why));
    }

    private void take(HostSlot slot, MicroVm vm) {
        SlotRecord record = slot.record();
        BootedVm boot = new BootedVm(
                slot, vm, secretDirectory(record.slotId()), driver.guestAddress(record.index()), driver.runnerInfo());
        slot.booted(boot);
        broker.adopt(boot);
    }

    /** Takes over a slot that the journal knows, from an agent that is gone. */
    HostSlot adopt(SlotRecord record) throws IOException {
        indexes.reserve(record.index());
        HostSlot slot = new HostSlot(journal, record);
        slots.put(record.slotId(), slot);
        Files.createDirectories(secretDirectory(record.slotId()));
        take(slot, record.bootNumber() == 0 ? new DeadVm("it never started") : driver.adopt(spec(record)));
        return slot;
    }

    /** Ends the slot's VM, no more; a launch may start it anew. */
    void kill(HostSlot slot) throws IOException {
        slot.lifecycle().lock();
        try {
            if (!slot.gone() && slot.record().bootNumber() > 0) {
                driver.kill(spec(slot.record()));
            }
        } finally {
            slot.lifecycle().unlock();
        }
    }

    /** Ensures that nothing of the slot is left and leaves a tombstone, also where no VM ever ran. */
    void destroy(String slotId) throws IOException {
        requireSlotId(slotId);
        HostSlot slot = findOrBury(slotId);
        if (slot == null) {
            return;
        }
        slot.lifecycle().lock();
        try {
            if (slot.gone()) {
                return;
            }
            new CleanUp("slot %s can't be destroyed on %s".formatted(slotId, identity.hostId()))
                    // Goes on if the journal can't be written: what is removed next may be what fills the disk.
                    .then(slot::beginDestroying)
                    .then(() -> driver.destroy(spec(slot.record())))
                    .orThrow();
            // Not before: as long as anything is left, the call is repeated and the claim may still be asked for.
            broker.forget(slotId);
            DurableFiles.delete(runDir.resolve(slotId));
            journal.bury(slotId);
            slot.markGone();
            slots.remove(slotId, slot);
            indexes.release(slot.record().index());
            log.info("slot {}: destroyed, nothing is left", slotId);
        } finally {
            slot.lifecycle().unlock();
        }
    }

    /** Null after a tombstone was left for a slot that isn't there: from then on none can be created. */
    private @Nullable HostSlot findOrBury(String slotId) throws IOException {
        synchronized (births) {
            HostSlot slot = slots.get(slotId);
            if (slot == null) {
                journal.bury(slotId);
            }
            return slot;
        }
    }

    VmSpec spec(SlotRecord record) {
        String caPem = identity.lease().map(LeaseReply::instances).orElse(List.of()).stream()
                .filter(instance -> instance.name().equals(record.instance()))
                .findFirst()
                .map(GitLabInstance::caPem)
                .orElse(null);
        return new VmSpec(
                record.slotId(), record.bootNumber(), record.size(), record.index(), record.machineId(), caPem);
    }

    private Path secretDirectory(String slotId) {
        return runDir.resolve(slotId).resolve("secrets");
    }
}
