package dev.mayfly.agent.claim;

import dev.mayfly.agent.claim.Repeater.Attempt;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
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
    /** GitLab may refuse a runner that was just made, as long as not all its databases know of it. */
    private static final int MOST_REFUSALS = 3;

    private final SlotContext slot;
    private final Listener listener;
    private @Nullable CompletableFuture<RunnerTokenReply> token;
    private @Nullable ScheduledFuture<?> next;
    private boolean wanted;
    private boolean requestUnderWay;
    private int failures;
    /** Answers in a row by which GitLab refused the runner. */
    private int refusals;

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

        /** GitLab or the control plane refuses for a reason that people must cure; asking has ended. */
        void failed(Exception why);
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
        }
        var unused = token.whenCompleteAsync(this::tokenIsThere, slot.events());
    }

    private void tokenIsThere(@Nullable RunnerTokenReply runner, @Nullable Throwable failure) {
        if (!wanted || requestUnderWay) {
            return;
        }
        if (runner != null) {
            request(runner);
            return;
        }
        Throwable cause = Repeater.cause(failure);
        if (cause instanceof CancellationException) {
            return; // of an earlier start
        }
        wanted = false;
        token = null;
        if (cause instanceof ControlPlaneCalls.Refused refused) {
            listener.refused("the control plane gives it no runner token: " + refused.getMessage());
        } else {
            String why = cause == null ? "" : String.valueOf(cause.getMessage());
            listener.failed(
                    FailureType.HOST_UNFIT.failure("slot %s gets no runner token: %s".formatted(slot.id(), why)));
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
        refusals = answer != null && answer.refusesRunner() ? refusals + 1 : 0;
        if (refusals > 0) {
            forgetToken();
        }
        if (refusals >= MOST_REFUSALS) {
            wanted = false;
            refusals = 0;
            listener.failed(FailureType.GITLAB_REFUSED.failure(
                    ("slot %s: GitLab instance '%s' refuses its runner (%s, %d times in a row): the runner was removed or"
                                    + " its token reset there; another slot gets a runner of its own")
                            .formatted(slot.id(), slot.vm().instance(), answer, MOST_REFUSALS)));
        } else if (wanted) {
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

    private void forgetToken() {
        token = null;
        try {
            slot.store().eraseRunnerToken();
        } catch (IOException e) {
            LOG.warn("slot {}: its runner token can't be erased: {}", slot.id(), e.toString());
        }
    }

    /** From the store, or from the control plane with the nonce that was stored before. */
    private CompletableFuture<RunnerTokenReply> fetchToken() {
        return slot.repeater().untilDone(slot.id(), "fetching", "its runner token", () -> {
            try {
                Optional<RunnerTokenReply> stored = slot.store().runnerToken();
                if (stored.isPresent()) {
                    return CompletableFuture.completedStage(Attempt.done(stored.get()));
                }
                return slot.controlPlane()
                        .runnerToken(slot.id(), slot.vm().epoch(), slot.store().nonce())
                        .handle(this::judge);
            } catch (IOException e) {
                return CompletableFuture.failedStage(e);
            }
        });
    }

    private Attempt<RunnerTokenReply> judge(@Nullable RunnerTokenReply reply, @Nullable Throwable failure) {
        if (reply != null) {
            try {
                slot.store().keep(reply);
                return Attempt.done(reply);
            } catch (IOException e) {
                return Attempt.again("could not store it: " + e, null);
            }
        }
        Throwable cause = Repeater.cause(failure);
        if (cause instanceof ControlPlaneCalls.Refused refused) {
            return Attempt.hopeless(refused);
        }
        if (cause instanceof ControlPlaneCalls.NotBelieved notBelieved) {
            return Attempt.hopeless(notBelieved);
        }
        return cause instanceof ControlPlaneCalls.NotYet
                ? Attempt.notYet("its runner is not registered yet")
                : Attempt.again(String.valueOf(cause), null);
    }
}
