package dev.mayfly.agent.claim;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a claim alive in GitLab until it is committed, and finds out by the first touch whether this server commits in
 * two phases. While the control plane has not recorded the claim that goes on for a limited time: then a two-phase claim
 * is let lapse, and GitLab tries the job anew; any other is given up. All of it on the event thread.
 */
final class KeepAlive {

    private static final Logger LOG = LoggerFactory.getLogger(KeepAlive.class);

    private final SlotContext slot;
    private final ClaimedJob job;
    private final Instant deadline;
    private final BooleanSupplier recorded;
    private final Runnable giveUp;
    /** Null as long as GitLab hasn't told. */
    private @Nullable Boolean twoPhase;

    private boolean stopped;

    /**
     * @param recorded whether the control plane has recorded the claim
     * @param giveUp has the job failed in GitLab
     */
    KeepAlive(SlotContext slot, ClaimedJob job, Instant claimedAt, BooleanSupplier recorded, Runnable giveUp) {
        this.slot = slot;
        this.job = job;
        this.deadline = claimedAt.plus(slot.settings().keepAliveAtMost());
        this.recorded = recorded;
        this.giveUp = giveUp;
    }

    void start() {
        proceed();
    }

    void stop() {
        stopped = true;
    }

    private void proceed() {
        if (stopped) {
            return;
        }
        if (twoPhase == null || (twoPhase && !overdue())) {
            touch();
        } else if (overdue()) {
            letGo();
        } else if (recorded.getAsBoolean()) {
            stopped = true; // it runs already: nothing lapses by itself
        } else {
            again(null);
        }
    }

    private void touch() {
        var unused = slot.gitlab()
                .thenCompose(gitlab -> gitlab.api().pending(job))
                .whenCompleteAsync(this::answered, slot.events());
    }

    private void answered(@Nullable GitLabAnswer answer, @Nullable Throwable failure) {
        if (stopped) {
            return;
        }
        if (answer != null && answer.saysEnded()) {
            LOG.info("slot {}: {} has ended in GitLab before it was committed", slot.id(), slot.keyOf(job));
            stopped = true;
        } else if (answer != null && answer.status() == 400) {
            twoPhase = false;
            proceed();
        } else if (answer != null && answer.status() == 200) {
            twoPhase = true;
            again(null);
        } else {
            Object what = answer != null ? answer : String.valueOf(Repeater.cause(failure));
            LOG.warn("slot {}: claim of {} not kept alive: {}; trying again", slot.id(), slot.keyOf(job), what);
            again(answer != null ? answer.retryAfter() : null);
        }
    }

    private void letGo() {
        stopped = true;
        boolean lapses = Boolean.TRUE.equals(twoPhase);
        LOG.warn(
                "slot {}: the control plane could not be told of {} for {}: {}",
                slot.id(),
                slot.keyOf(job),
                slot.settings().keepAliveAtMost(),
                lapses ? "the claim is let lapse" : "the job is failed");
        if (!lapses) {
            giveUp.run();
        }
    }

    private boolean overdue() {
        return !recorded.getAsBoolean() && !slot.clock().instant().isBefore(deadline);
    }

    /** Not after the deadline if that is near, and not before GitLab wants to be asked again. */
    private void again(@Nullable Duration asked) {
        Duration pause = slot.settings().keepAliveEvery();
        Duration left = Duration.between(slot.clock().instant(), deadline);
        if (!recorded.getAsBoolean() && !left.isNegative() && left.compareTo(pause) < 0) {
            pause = left;
        }
        if (asked != null && asked.compareTo(pause) > 0) {
            pause = asked;
        }
        // At least a millisecond: the deadline may fall between two.
        var unused = slot.events().schedule(this::proceed, pause.toMillis() + 1, TimeUnit.MILLISECONDS);
    }
}
