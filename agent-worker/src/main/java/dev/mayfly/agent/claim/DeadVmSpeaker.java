package dev.mayfly.agent.claim;

import dev.mayfly.agent.claim.Repeater.Attempt;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a claimed job in GitLab on behalf of a runner that can't. Each call is repeated until GitLab has answered; a job
 * that GitLab says is not ours any more has ended, and is believed to have.
 */
final class DeadVmSpeaker {

    private static final Logger LOG = LoggerFactory.getLogger(DeadVmSpeaker.class);
    private static final int LOG_ATTEMPTS = 5;

    private final SlotContext slot;

    DeadVmSpeaker(SlotContext slot) {
        this.slot = slot;
    }

    /** What GitLab said. */
    enum Spoken {
        /** It took our word. */
        FAILED,
        /** The job had ended before. */
        HAD_ENDED
    }

    /** Says in the job's log what became of its VM, with the end of the console, and fails the job. */
    CompletableFuture<Spoken> speakForDeadVm(ClaimedJob job, String why) {
        StringBuilder text =
                new StringBuilder("\nERROR: Job failed (system failure): the VM of this job ended before its"
                        + " runner reported the end: " + why + "\n");
        ConsoleTail.of(slot.vm().consoleTail(ConsoleTail.LINES + 1), job.secrets())
                .forEach(line -> text.append("  ").append(line).append('\n'));
        return fail(job, "runner_system_failure", text.toString());
    }

    /** Commits the job if it isn't, adds {@code lines} to its log, and fails it. */
    CompletableFuture<Spoken> fail(ClaimedJob job, String reason, String lines) {
        return commit(job).thenCompose(committed -> {
            if (!committed) {
                return CompletableFuture.completedFuture(Spoken.HAD_ENDED);
            }
            return append(job, lines.getBytes(StandardCharsets.UTF_8), 0, LOG_ATTEMPTS)
                    .thenCompose(done -> putFailed(job, reason));
        });
    }

    /** {@code PUT running}, until GitLab took it: true; or said that the job has ended: false. */
    CompletableFuture<Boolean> commit(ClaimedJob job) {
        return slot.repeater()
                .untilDone(
                        slot.id(),
                        "committing",
                        slot.keyOf(job),
                        () -> slot.gitlab()
                                .thenCompose(gitlab -> gitlab.api().running(job))
                                .thenApply(answer -> {
                                    if (answer.status() == 200) {
                                        return Attempt.done(true);
                                    }
                                    return answer.saysEnded()
                                            ? Attempt.done(false)
                                            : Attempt.again("GitLab answers " + answer, answer.retryAfter());
                                }));
    }

    private CompletableFuture<Spoken> putFailed(ClaimedJob job, String reason) {
        return slot.repeater()
                .untilDone(
                        slot.id(),
                        "failing",
                        slot.keyOf(job),
                        () -> slot.gitlab()
                                .thenCompose(gitlab -> gitlab.api().failed(job, reason))
                                .thenCompose(answer -> judge(job, answer)));
    }

    private CompletionStage<Attempt<Spoken>> judge(ClaimedJob job, GitLabAnswer answer) {
        Attempt<Spoken> again = Attempt.again("GitLab answers " + answer, answer.retryAfter());
        if (answer.status() == 200) {
            return CompletableFuture.completedStage(Attempt.done(Spoken.FAILED));
        }
        if (answer.saysEnded()) {
            return CompletableFuture.completedStage(Attempt.done(Spoken.HAD_ENDED));
        }
        if (answer.status() == 400) {
            // A two-phase claim that isn't committed: GitLab takes an end only of a job that runs.
            return slot.gitlab()
                    .thenCompose(gitlab -> gitlab.api().running(job))
                    .thenApply(committed -> again);
        }
        return CompletableFuture.completedStage(again);
    }

    /** The log is worth some attempts, but never keeps the job from being ended. */
    private CompletionStage<Void> append(ClaimedJob job, byte[] text, long at, int attempts) {
        if (text.length == 0) {
            return CompletableFuture.completedStage(null);
        }
        return slot.gitlab()
                .thenCompose(gitlab -> gitlab.api().append(job, at, text))
                .handle((answer, failure) -> {
                    if (answer != null && (answer.status() == 202 || answer.saysEnded())) {
                        return CompletableFuture.<Void>completedStage(null);
                    }
                    Long size = answer != null && answer.status() == 416 ? answer.logSize() : null;
                    if (attempts > 1 && size != null) {
                        return append(job, text, size, attempts - 1);
                    }
                    if (attempts > 1 && (answer == null || answer.mayPass())) {
                        return pause(LOG_ATTEMPTS - attempts).thenCompose(over -> append(job, text, at, attempts - 1));
                    }
                    Object what = answer != null ? answer : String.valueOf(Repeater.cause(failure));
                    LOG.warn("slot {}: no last words in the log of {}: {}", slot.id(), slot.keyOf(job), what);
                    return CompletableFuture.<Void>completedStage(null);
                })
                .thenCompose(stage -> stage);
    }

    private CompletionStage<Void> pause(int attempts) {
        long millis = slot.repeater().pause(attempts, null).toMillis();
        return CompletableFuture.runAsync(
                () -> {}, CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS, slot.events()));
    }
}
