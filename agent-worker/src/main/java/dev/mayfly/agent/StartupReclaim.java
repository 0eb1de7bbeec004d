package dev.mayfly.agent;

import dev.mayfly.agent.claim.ClaimBroker;
import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.agent.journal.SlotJournal;
import dev.mayfly.agent.journal.SlotRecord;
import dev.mayfly.agent.journal.SlotRecord.Stage;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.vm.LeftOver;
import dev.mayfly.agent.vm.MicroVmDriver;
import dev.mayfly.agent.vm.SlotNames;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an agent does first: takes over the slots that its predecessor journalled, and removes whatever else is there of
 * this installation and this host: processes, then networks, then disks, so that nothing holds what is to go. Never fatal:
 * what can't be removed is logged and tried again at the next start.
 */
final class StartupReclaim {

    private static final Logger log = LoggerFactory.getLogger(StartupReclaim.class);

    private final SlotJournal journal;
    private final MicroVmDriver driver;
    private final HostSlots slots;
    private final ClaimBroker broker;
    private final HostIdentity identity;
    private final AddressPlan plan;
    private final Path keptPlan;
    private final Path runDir;

    StartupReclaim(
            SlotJournal journal,
            MicroVmDriver driver,
            HostSlots slots,
            ClaimBroker broker,
            HostIdentity identity,
            AddressPlan plan,
            Path stateDir,
            Path runDir) {
        this.journal = journal;
        this.driver = driver;
        this.slots = slots;
        this.broker = broker;
        this.identity = identity;
        this.plan = plan;
        this.keptPlan = stateDir.resolve("address-plan");
        this.runDir = runDir;
    }

    /** Returns once every journalled slot is known again; those that were being destroyed are gone then. */
    void run() throws IOException {
        SlotJournal.Found found = journal.readAll();
        requireSamePlan(found.records());
        reclaim(found.records());
        for (String slotId : found.unborn()) {
            log.warn("slot {}: a folder without a record is removed", slotId);
            DurableFiles.delete(journal.folder(slotId));
        }
        for (String slotId : found.damaged()) {
            // Its job may have run: a late launch must not run it again in the same slot.
            journal.bury(slotId);
        }
        removeRunFolders(found.records());
        List<HostSlot> dying = new ArrayList<>();
        for (SlotRecord record : found.records()) {
            HostSlot slot = slots.adopt(record);
            log.info(
                    "slot {}: taken over, boot {}, {}",
                    record.slotId(),
                    record.bootNumber(),
                    slot.boot() != null && !slot.boot().hasEnded() ? "its VM runs" : "its VM has ended");
            if (record.stage() == Stage.DESTROYING || record.epoch() < identity.epoch()) {
                dying.add(slot);
            }
        }
        settle(dying);
        dying.forEach(slot -> destroy(slot.record().slotId()));
    }

    /** A slot's addresses and user id follow from its number, so they may not change while there are slots. */
    private void requireSamePlan(List<SlotRecord> records) throws IOException {
        String now = "addressPool %s and uidRange from %d on".formatted(plan.pool(), plan.firstUid());
        String before = Files.exists(keptPlan) ? Files.readString(keptPlan) : now;
        boolean fits = records.stream().allMatch(slot -> slot.index() < plan.slots());
        if (!records.isEmpty() && !(before.equals(now) && fits)) {
            throw new IOException(
                    "%d slot(s) of this host still use %s; set agent.yml back until they have ended, or remove them by 'agent reclaim' with those settings"
                            .formatted(records.size(), fits ? before : before + " with more user ids"));
        }
        DurableFiles.write(keptPlan, now.getBytes(StandardCharsets.UTF_8));
    }

    private void reclaim(List<SlotRecord> records) {
        Optional<String> installation = identity.lease().map(lease -> lease.installation());
        if (installation.isEmpty()) {
            return;
        }
        try {
            List<LeftOver> found = driver.leftOvers(
                    installation.get(), records.stream().map(slots::spec).toList());
            found.forEach(each -> log.warn("left over from an earlier agent, now removed: {}", each.what()));
            LeftOver.removeAll(found);
        } catch (IOException e) {
            log.error("not all left-overs could be removed, tried again at the next start", e);
        }
    }

    private void removeRunFolders(List<SlotRecord> records) throws IOException {
        Set<String> known = records.stream().map(SlotRecord::slotId).collect(Collectors.toSet());
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(runDir, Files::isDirectory)) {
            for (Path folder : folders) {
                String name = String.valueOf(folder.getFileName());
                if (SlotNames.isSlotId(name) && !known.contains(name)) {
                    DurableFiles.delete(folder);
                }
            }
        }
    }

    /** A job that the earlier agent was about to fail gets its last words from this one. */
    private void settle(List<HostSlot> dying) {
        HostFence.awaitSettled(dying.stream()
                .map(HostSlot::boot)
                .filter(Objects::nonNull)
                .map(this::giveUpClaim)
                .toList());
    }

    private CompletionStage<Destroyed> giveUpClaim(BootedVm boot) {
        // Asked first without a claim: the broker answers once it has read what is stored of the slot.
        return broker.settleBeforeDestroy(boot, null)
                .thenCompose(answer -> answer == Destroyed.REASSIGNED
                        ? broker.settleBeforeDestroy(
                                boot, broker.claimedJob(boot.slotId()).orElse(null))
                        : CompletableFuture.completedStage(answer));
    }

    private void destroy(String slotId) {
        try {
            slots.destroy(slotId);
        } catch (IOException e) {
            log.error("slot {}: could not be destroyed; its workflow or the next start tries again", slotId, e);
        }
    }
}
