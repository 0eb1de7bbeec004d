package dev.mayfly.agent.claim;

import dev.mayfly.agent.claim.Repeater.Attempt;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells the control plane of a claim until it has answered, and keeps the claim alive in GitLab meanwhile and from then
 * until {@link #stop}. All of it on the event thread; after an agent's restart it begins anew.
 */
final class ClaimReport {

    private final SlotContext slot;
    private final ClaimedJob job;
    private final KeepAlive keepAlive;
    private @Nullable CompletableFuture<ClaimReply> reply;

    /** @param giveUp has the job failed in GitLab, because the control plane stays away */
    ClaimReport(SlotContext slot, ClaimedJob job, Instant claimedAt, Runnable giveUp) {
        this.slot = slot;
        this.job = job;
        this.keepAlive = new KeepAlive(slot, job, claimedAt, this::isAnswered, giveUp);
    }

    /** @param recorded is told the control plane's answer */
    void start(Consumer<ClaimReply> recorded) {
        keepAlive.start();
        reply = slot.repeater()
                .untilDone(
                        slot.id(),
                        "reporting",
                        slot.keyOf(job),
                        () -> slot.controlPlane()
                                .reportClaim(slot.id(), slot.vm().epoch(), job.projectId(), job.id(), job.token())
                                .handle(ClaimReport::judge));
        var unused = reply.thenAccept(recorded);
    }

    /** The claim is committed or gone: neither touched nor reported any more. */
    void stop() {
        keepAlive.stop();
        if (reply != null) {
            reply.cancel(false);
        }
    }

    private boolean isAnswered() {
        return reply != null && reply.isDone();
    }

    private static Attempt<ClaimReply> judge(@Nullable ClaimReply reply, @Nullable Throwable failure) {
        Throwable cause = Repeater.cause(failure);
        if (cause instanceof ControlPlaneCalls.Refused) {
            return Attempt.done(new ClaimReply(Verdict.REFUSED, null, String.valueOf(cause.getMessage())));
        }
        return reply != null ? Attempt.done(reply) : Attempt.again(String.valueOf(cause), null);
    }
}
