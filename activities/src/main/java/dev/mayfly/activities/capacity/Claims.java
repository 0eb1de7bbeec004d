package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.VmSize;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** When a claim is refused or void, and the words for it. Pure. */
final class Claims {

    private Claims() {}

    static ClaimOutcome held(CiJob job, String story) {
        return new ClaimOutcome(new ClaimReply(Verdict.HELD, job.executor(), story), story);
    }

    /** The slot or its epoch is gone; null if it stands. */
    static @Nullable ClaimOutcome refused(String hostId, ClaimReport report, @Nullable SlotRow slot, String job) {
        if (slot == null) {
            return refused(job, "there is no slot " + report.slotId());
        }
        if (!slot.hostId().equals(hostId) || !report.hostId().equals(hostId)) {
            return refused(job, "slot %s is not on host %s".formatted(slot.id(), hostId));
        }
        if (slot.isReleased()) {
            return refused(job, "slot %s is released".formatted(slot.id()));
        }
        if (slot.isOld() || report.epoch() != slot.epoch()) {
            return refused(
                    job,
                    "epoch %d of slot %s is over, host %s is at %d"
                            .formatted(report.epoch(), slot.id(), hostId, slot.hostEpoch()));
        }
        return null;
    }

    /** one-claim: a slot claims one job and a job is claimed once; anything else is an agent's fault. */
    static @Nullable ClaimOutcome second(SlotRow slot, String job, @Nullable SlotRow claimedElsewhere) {
        if (slot.claimedBy() != null) {
            return refused(job, "slot %s holds the claim of %s already".formatted(slot.id(), slot.claimedBy()));
        }
        if (claimedElsewhere != null) {
            return refused(job, "it was claimed by slot %s already".formatted(claimedElsewhere.id()));
        }
        return null;
    }

    /** The job must not run here; null if it may. */
    static @Nullable ClaimOutcome voided(SlotRow slot, ClaimedJob claimed, boolean leftOrEnded) {
        VmSize asked = claimed.job().size();
        String why = leftOrEnded
                ? "the job has ended or left"
                : claimed.refusal() != null
                        ? claimed.refusal()
                        : asked != null && !asked.equals(slot.size())
                                ? "it asks for %s and slot %s is %s"
                                        .formatted(
                                                asked.label(),
                                                slot.id(),
                                                slot.size().label())
                                : null;
        if (why == null) {
            return null;
        }
        String story = "%s was handed %s in vain: %s"
                .formatted(slot.id(), claimed.job().key().workflowId(), why);
        return new ClaimOutcome(new ClaimReply(Verdict.VOID, null, story), story);
    }

    /**
     * What an exchange does, for the log and for the histories of both jobs.
     *
     * @param slot before the exchange
     * @param former what the job held before
     * @param ownerTakesFormer false if the former slot's host is not for the slot's owner
     */
    static String exchanged(SlotRow slot, String job, @Nullable SlotRow former, boolean ownerTakesFormer) {
        String owner = Objects.requireNonNull(slot.owner());
        boolean waited = slot.holder() != null;
        String handed = "GitLab handed slot %s %s".formatted(slot.id(), name(job));
        if (job.equals(owner)) {
            return handed
                    + (waited ? ", which waited in it" : ", which had given it up")
                    + (waited || former == null ? "" : " for slot " + former.id());
        }
        String others = waited ? name(owner) + ", which waited in it, " : name(owner) + " ";
        if (former == null) {
            return "%s; %s%s".formatted(handed, others, waited ? "goes back to the queue" : "leaves it");
        }
        if (!ownerTakesFormer) {
            return "%s; %sgoes back to the queue, for slot %s is on %s, which has not the labels that it asks for"
                    .formatted(handed, others, former.id(), former.hostId());
        }
        return "%s; %s%s slot %s".formatted(handed, others, waited ? "goes on with" : "dismantles", former.id());
    }

    private static String name(String owner) {
        return owner.equals(SlotRow.SWEEPER)
                ? "the sweeper"
                : "job " + JobKey.parse(owner).jobId();
    }

    private static ClaimOutcome refused(String job, String why) {
        String story = "the claim of %s is refused: %s".formatted(job, why);
        return new ClaimOutcome(new ClaimReply(Verdict.REFUSED, null, story), story);
    }
}
