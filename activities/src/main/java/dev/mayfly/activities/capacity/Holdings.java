package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.SlotRow.SWEEPER;

import dev.mayfly.activities.db.Channel;
import dev.mayfly.activities.jobs.JobDao;
import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.activities.outbox.Outbox.Signal;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.job.CiJob;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rules of who holds and who owns which slot, each method within one transaction of its caller, who has taken the
 * lock of {@link PostgresCapacity}: nothing else changes meanwhile. A job <em>holds</em> at most one slot, the one it
 * uses; every slot that is not released has exactly one <em>owner</em>, who dismantles it; who holds a slot owns it.
 */
final class Holdings {

    private static final Logger log = LoggerFactory.getLogger(Holdings.class);
    /** Its next failure renews it; a host that was mended gets VMs soon. */
    private static final Duration AVOIDED_FOR = Duration.ofMinutes(1);

    private final Handle handle;
    private final SlotDao slots;
    private final HostDao hosts;
    private final JobDao jobs;
    private final Outbox outbox;
    private final Instant now;

    Holdings(Handle handle, SlotDao slots, JobDao jobs, Outbox outbox, Instant now) {
        this.handle = handle;
        this.slots = slots;
        this.hosts = handle.attach(HostDao.class);
        this.jobs = jobs;
        this.outbox = outbox;
        this.now = now;
    }

    HostDao hosts() {
        return hosts;
    }

    /** Ensures the job's row. */
    void ensure(CiJob job) {
        jobs.ensure(job, now);
    }

    /**
     * The transaction of a claim: <em>S</em> is the slot whose runner was handed job <em>J</em>, <em>O</em> owns S, and
     * <em>F</em> is the slot that J held before. Cases in the order in which they are decided, at whatever stage S and F
     * are: queued, launching, ready and claiming make no difference, for a slot's stage is not known here.
     *
     * <table>
     * <caption>Cases of a claim, each with its test</caption>
     * <tr><th>case</th><th>answer</th><th>what becomes of S, F and O</th><th>test</th></tr>
     * <tr><td>S is unknown or released</td><td>refused</td><td>nothing</td>
     *     <td>{@code ClaimRefusedTest.aReportForAReleasedOrUnknownSlotIsRefused}</td></tr>
     * <tr><td>S is another host's</td><td>refused</td><td>nothing</td>
     *     <td>{@code ClaimRefusedTest.aReportByAnotherHostIsRefused}</td></tr>
     * <tr><td>the host was lost, or its epoch raised, since S was made</td><td>refused</td><td>nothing</td>
     *     <td>{@code ClaimRefusedTest.aReportOfAnOldEpochIsRefused}</td></tr>
     * <tr><td>the same claim again: its answer was not heard</td><td>held</td><td>nothing</td>
     *     <td>{@code ClaimTest.theSameClaimTwiceGetsTheSameAnswerAndNoSecondSignal}</td></tr>
     * <tr><td>S claimed another job, or another slot claimed J</td><td>refused</td><td>nothing</td>
     *     <td>{@code ClaimRefusedTest.aSecondClaimByTheSameSlotAndASecondClaimOfTheSameJobAreRefused}</td></tr>
     * <tr><td>J has left</td><td>void</td><td>nothing: S polls on for its holder</td>
     *     <td>{@code ClaimRefusedTest.aClaimOfAJobThatHasLeftIsVoidAndChangesNothing}</td></tr>
     * <tr><td>J was cancelled or has finished meanwhile</td><td>void</td><td>nothing</td>
     *     <td>{@code ClaimRefusedTest.aClaimOfAJobThatGitLabSaidHasEndedIsVoid}</td></tr>
     * <tr><td>J's tags are refused</td><td>void</td><td>nothing</td>
     *     <td>{@code ClaimRefusedTest.aClaimOfARefusedJobIsVoidWithItsReason}</td></tr>
     * <tr><td>J asks for another size than S has</td><td>void</td><td>nothing</td>
     *     <td>{@code ClaimRefusedTest.aJobNeverRunsInAnotherSize}</td></tr>
     * <tr><td>J is O, and holds S</td><td>held</td><td>J holds S, the slot made for it</td>
     *     <td>{@code ClaimTest.aClaimOfTheSlotsOwnJobChangesNothingElse}</td></tr>
     * <tr><td>J is O, but gave S up</td><td>held</td><td>J holds S again and dismantles F</td>
     *     <td>{@code ClaimTest.aJobClaimedByTheSlotThatItGaveUpRunsThereAndDismantlesTheOther}</td></tr>
     * <tr><td>J has a slot F, and O waits for S</td><td>held</td><td>exchanged: J holds S, O holds F</td>
     *     <td>{@code ClaimTest.crossedClaimsOfTwoJobsExchangeTheirSlots}</td></tr>
     * <tr><td>the same, and a third slot claims O itself</td><td>held</td><td>each runs in the slot that claimed it</td>
     *     <td>{@code ClaimTest.aRingOfThreeClaimsEndsWithEachJobInTheSlotThatClaimedIt}</td></tr>
     * <tr><td>the same, and O asks for labels that F's host has</td><td>held</td><td>exchanged</td>
     *     <td>{@code ClaimTest.aJobGetsTheFormerSlotInExchangeIfItsHostHasTheLabels}</td></tr>
     * <tr><td>J has a slot F on a host without labels that O asks for, and O waits for S</td><td>held</td>
     *     <td>J holds S; O goes back to the queue, at its old place; the sweeper gets F</td>
     *     <td>{@code ClaimTest.aJobNeverGetsASlotOnAHostWithoutItsLabelsInExchange}</td></tr>
     * <tr><td>J is queued, and O waits for S</td><td>held</td>
     *     <td>J holds S; O goes back to the queue, at its old place</td>
     *     <td>{@code ClaimTest.aClaimOfAQueuedJobSendsTheSlotsJobBackToTheQueueAtItsOldPlace}</td></tr>
     * <tr><td>J is not known, or its workflow was terminated</td><td>held</td><td>the same; the claim starts J's workflow</td>
     *     <td>{@code ClaimTest.aClaimOfAnUnknownJobMakesItKnownAndStartsItsWorkflow}</td></tr>
     * <tr><td>J has no tag of ours: matched by GitLab's own rule</td><td>held</td>
     *     <td>the same; J lives with this claim and is never queued</td>
     *     <td>{@code ClaimTest.aForeignJobLivesWithTheClaimAndIsNeverQueued}</td></tr>
     * <tr><td>O has left: S is being dismantled</td><td>held</td><td>S is opened again; O gets F to dismantle</td>
     *     <td>{@code ClaimTest.aSlotBeingDismantledIsReopenedByAClaim}</td></tr>
     * <tr><td>O gave S up and has another slot</td><td>held</td><td>O keeps that one and gets F to dismantle</td>
     *     <td>{@code ClaimTest.anOwnerThatGaveTheSlotUpKeepsItsNewSlotAndGetsTheFormerOneToDismantle}</td></tr>
     * <tr><td>the sweeper owns S</td><td>held</td><td>J holds S, the sweeper gets F</td>
     *     <td>{@code ClaimTest.aClaimBySlotThatTheSweeperTookBringsItBackAndLeavesTheFormerOneToTheSweeper}</td></tr>
     * </table>
     *
     * <p>What can be cut off before, in or after this transaction is the agent's to repeat: it stores GitLab's answer first
     * and reports it until it is answered. A control plane that dies on either side of the commit, agents that crash,
     * hosts that are lost and signals that come doubled or late are {@code ExchangePropertyTest}'s. An answer of GitLab
     * that never reached the agent is no claim: the control plane's {@code JobsWithoutVm} ends that job, which GitLab shows
     * at one of our runners while no agent has it.
     *
     * @param claimed the job, which has a row
     */
    ClaimOutcome claimed(String hostId, ClaimReport report, ClaimedJob claimed, byte[] sealedToken) {
        String job = claimed.job().key().workflowId();
        SlotRow slot = slots.slot(report.slotId());
        ClaimOutcome noSlot = Claims.refused(hostId, report, slot, job);
        if (slot == null || noSlot != null) {
            return Objects.requireNonNull(noSlot);
        }
        if (job.equals(slot.claimedBy())) {
            return Claims.held(claimed.job(), "%s holds %s already: the same report again".formatted(job, slot.id()));
        }
        ClaimOutcome second = Claims.second(slot, job, slots.claimedBy(job));
        if (second != null) {
            return second;
        }
        // void-claim: a claim of a job that has left, or can't run here, changes no holding
        ClaimOutcome voided = Claims.voided(slot, claimed, Boolean.TRUE.equals(slots.hasLeftOrEnded(job)));
        if (voided != null) {
            return voided;
        }
        return Claims.held(claimed.job(), exchange(slot, claimed.job(), sealedToken));
    }

    /** The slot that claimed a job runs it: holdings are exchanged. */
    private String exchange(SlotRow slot, CiJob claimed, byte[] sealedToken) {
        String job = claimed.key().workflowId();
        String owner = Objects.requireNonNull(slot.owner());
        boolean ownerWaitsForIt = slot.holder() != null;
        SlotRow former = slots.heldBy(job);
        boolean ownerTakesFormer = former == null || !ownerWaitsForIt || slots.suits(former.id(), owner);
        String story = Claims.exchanged(slot, job, former, ownerTakesFormer);

        slots.dropHolding(slot.id());
        if (former != null) {
            slots.dropHolding(former.id());
        }
        slots.setClaim(slot.id(), job, sealedToken, now);
        slots.setHolding(job, slot.id());
        slots.setWaiting(job, false);
        jobs.claimed(job, slot.id(), now);
        tellHolding(job, slot.id(), job.equals(slot.holder()) ? null : story, claimed);

        if (job.equals(owner)) {
            return story;
        }
        if (former == null) {
            if (ownerWaitsForIt) {
                backToQueue(owner, story); // back-to-queue: it waited for this slot and gets no other
            }
            return story;
        }
        if (!ownerTakesFormer) { // right-host: nor is it left to an owner that would hold its room until the job ends
            slots.setOwner(former.id(), SWEEPER);
            backToQueue(owner, story);
            return story;
        }
        // swap-owners: the former slot goes to this slot's owner, at whatever stage, even to one that has left
        slots.setOwner(former.id(), owner);
        if (ownerWaitsForIt) {
            slots.setHolding(owner, former.id());
            tellHolding(owner, former.id(), story, null);
        } else {
            tellLook(owner, story);
        }
        return story;
    }

    /**
     * The slot turned out unreachable before its claim: held no longer, still owned.
     *
     * @param unfit why its host could not run a VM; null if it is no fault of the host's
     */
    void giveUp(String job, String slotId, @Nullable String unfit) {
        SlotRow slot = slots.slot(slotId);
        if (slot == null || !job.equals(slot.holder()) || slot.claimedBy() != null) {
            return;
        }
        slots.dropHolding(slotId);
        slots.touch(slotId);
        slots.setWaiting(job, true);
        if (unfit != null) {
            hosts.avoid(slot.hostId(), now.plus(AVOIDED_FOR), unfit);
        }
        notifyDispatch();
        log.info("job {} gave slot {} up and goes back to the queue", job, slotId);
    }

    /** From now on the job is given slots only to dismantle. */
    void leave(String job) {
        jobs.leave(job, now);
        slots.dequeue(job);
        SlotRow held = slots.heldBy(job);
        if (held != null) {
            slots.dropHolding(held.id());
            slots.touch(held.id());
        }
    }

    /** Frees a slot that its owner has no use for; false if it is another's now, or in use. */
    boolean release(String owner, String slotId) {
        SlotRow slot = slots.slot(slotId);
        if (slot == null) {
            return true;
        }
        if (slot.isReleased()) {
            return owner.equals(slot.releasedBy());
        }
        if (!owner.equals(slot.owner()) || slot.holder() != null) {
            return false;
        }
        // The host's row first, then the ledger's: a lease takes them in this order, too.
        hosts.free(slot.hostId(), slot.epoch(), slot.size());
        slots.release(slotId, now);
        notifyDispatch();
        log.info("slot {} on host {} is released", slotId, slot.hostId());
        return true;
    }

    /** sweeper-takes-first: from now on the sweeper owns the slot, and a workflow started again never gets it back. */
    boolean sweep(String slotId, long generation) {
        SlotRow slot = slots.slot(slotId);
        if (slot == null || slot.isReleased() || slot.isOwnedBySweeper() || slot.generation() != generation) {
            return false;
        }
        // start-first: the owner's workflow does not run yet, for what starts it is still to be sent
        if (outbox.startsLater(handle, Objects.requireNonNull(slot.owner()))) {
            return false;
        }
        slots.dropHolding(slotId);
        slots.setOwner(slotId, SWEEPER);
        log.warn("the sweeper takes slot {} from job {}, whose workflow does not run", slotId, slot.owner());
        return true;
    }

    /** How many slots of the host are not released. */
    int slotsOn(String hostId) {
        return slots.on(hostId).size();
    }

    /** The host's slots are void. Unclaimed jobs get other ones; claimed ones keep theirs and learn to ask. */
    void lose(String hostId, long newEpoch) {
        for (SlotRow slot : slots.on(hostId)) {
            if (slot.isOld()) {
                continue;
            }
            slots.touch(slot.id());
            if (slot.holder() != null && slot.claimedBy() == null) {
                slots.dropHolding(slot.id());
                slots.setWaiting(slot.holder(), true);
            }
            tellLook(
                    Objects.requireNonNull(slot.owner()),
                    "slot %s went with host %s, which was LOST".formatted(slot.id(), hostId));
            log.warn("slot {} of job {} went with host {}", slot.id(), slot.owner(), hostId);
        }
        hosts.lose(hostId, newEpoch);
        notifyDispatch();
    }

    private void backToQueue(String job, String why) {
        slots.setWaiting(job, true);
        notifyDispatch();
        tellLook(job, why);
    }

    /** With why its slot is another one, for people. */
    private void tellHolding(String job, String slot, @Nullable String why, @Nullable CiJob start) {
        Holding holding = Objects.requireNonNull(slots.slot(slot)).toHolding();
        outbox.add(handle, job, Signal.HOLDING, holding, why, start);
    }

    private void tellLook(String owner, String why) {
        if (!owner.equals(SWEEPER)) {
            outbox.add(handle, owner, Signal.LOOK, null, why, null);
        }
    }

    private void notifyDispatch() {
        handle.execute("select pg_notify(?, '')", Channel.DISPATCH.pgName());
    }
}
