package dev.mayfly.agent.claim;

import dev.mayfly.agent.claim.Repeater.Attempt;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks GitLab for one slot's job, with one request at a time, from {@link #start} until there is one or {@link #stop} is
 * called. A request under way is never given up: GitLab may have answered it with a job. All of it on the event thread.
 */
final class JobRequests {

    private static final Logger LOG = LoggerFactory.getLogger(JobRequests.class);

    private final SlotContext slot;
    private final Listener listener;
    private @Nullable CompletableFuture<Optional<RunnerTokenReply>> token;
    private @Nullable ScheduledFuture<?> next;
    private boolean wanted;
    private boolean requestUnderWay;
    private int failures;

    JobRequests(SlotContext slot, Listener listener) {
        this.slot = slot;
        this.listener = listener;
    }

    /** Who is told what came of it, on the event thread. */
    interface Listener {
        /** GitLab handed out a job. */
        void claimed(ClaimedJob job);

        /** {@link #stop} was called, and the last answer is in: it brought nothing. */
        void stopped();

        /** The control plane gives this slot no runner token, now or ever. */
        void refused(String reason);
    }

    /** Whether a request is under way that may bring a job. */
    boolean busy() {
        return requestUnderWay;
    }

    void start() {
        if (!wanted) {
            wanted = true;
            proceed();
        }
    }

    void stop() {
        wanted = false;
        if (next != null) {
            next.cancel(false);
            next = null;
        }
        if (token != null && !token.isDone()) {
            token.cancel(false);
            token = null;
        }
    }

    private void proceed() {
        next = null;
        if (!wanted || requestUnderWay) {
            return;
        }
        if (token == null) {
            token = fetchToken();
            var unused = token.thenAcceptAsync(this::tokenIsThere, slot.events());
        } else if (token.isDone()) {
            tokenIsThere(token.join());
        }
    }

    private void tokenIsThere(Optional<RunnerTokenReply> runner) {
        if (!wanted || requestUnderWay) {
            return;
        }
        if (runner.isPresent()) {
            request(runner.get());
        } else {
            wanted = false;
            listener.refused("the control plane gives this slot no runner token");
        }
    }

    private void request(RunnerTokenReply runner) {
        requestUnderWay = true;
        CompletionStage<GitLabAnswer> answer = slot.gitlab()
                .thenCompose(gitlab -> gitlab.api()
                        .requestJob(
                                slot.vm().runnerInfo(),
                                runner.token(),
                                slot.vm().systemId()));
        var unused = answer.whenCompleteAsync(this::answered, slot.events());
    }

    private void answered(@Nullable GitLabAnswer answer, @Nullable Throwable failure) {
        requestUnderWay = false;
        Optional<ClaimedJob> job = jobIn(answer);
        if (job.isPresent()) {
            wanted = false;
            listener.claimed(job.get());
            return;
        }
        boolean well = answer != null && answer.status() == 204;
        if (!well && failures == 0) {
            Object what = answer != null ? answer : String.valueOf(Repeater.cause(failure));
            LOG.warn("slot {}: GitLab answers {} to a request for a job; trying again", slot.id(), what);
        }
        failures = well ? 0 : failures + 1;
        if (wanted) {
            Duration pause = slot.settings().pollEvery();
            if (!well) {
                Duration longer = slot.repeater().pause(failures, answer != null ? answer.retryAfter() : null);
                pause = longer.compareTo(pause) > 0 ? longer : pause;
            }
            next = slot.events().schedule(this::proceed, pause.toMillis(), TimeUnit.MILLISECONDS);
        } else {
            listener.stopped();
        }
    }

    /** An answer that should carry a job and doesn't is one more failure: the control plane ends what was handed out. */
    private Optional<ClaimedJob> jobIn(@Nullable GitLabAnswer answer) {
        if (answer == null || answer.status() != 201) {
            return Optional.empty();
        }
        try {
            return Optional.of(ClaimedJob.parse(answer.body()));
        } catch (IOException e) {
            LOG.error("slot {}: {}", slot.id(), e.getMessage());
            return Optional.empty();
        }
    }

    /** From the store, or from the control plane with the nonce that was stored before; empty if that refuses. */
    private CompletableFuture<Optional<RunnerTokenReply>> fetchToken() {
        return slot.repeater().untilDone("slot " + slot.id() + ": fetching its runner token", () -> {
            try {
                Optional<RunnerTokenReply> stored = slot.store().runnerToken();
                if (stored.isPresent()) {
                    return CompletableFuture.completedStage(Attempt.done(stored));
                }
                return slot.controlPlane()
                        .runnerToken(slot.id(), slot.vm().epoch(), slot.store().nonce())
                        .handle(this::judge);
            } catch (IOException e) {
                return CompletableFuture.failedStage(e);
            }
        });
    }

    private Attempt<Optional<RunnerTokenReply>> judge(@Nullable RunnerTokenReply reply, @Nullable Throwable failure) {
        Throwable cause = Repeater.cause(failure);
        if (reply != null) {
            try {
                slot.store().keep(reply);
                return Attempt.done(Optional.of(reply));
            } catch (IOException e) {
                return Attempt.again("could not store it: " + e, null);
            }
        }
        if (cause instanceof ControlPlaneCalls.Refused) {
            LOG.warn("slot {}: the control plane refuses its runner token: {}", slot.id(), cause.getMessage());
            return Attempt.done(Optional.empty());
        }
        return cause instanceof ControlPlaneCalls.NotYet
                ? Attempt.notYet("its runner is not registered yet")
                : Attempt.again(String.valueOf(cause), null);
    }
}
