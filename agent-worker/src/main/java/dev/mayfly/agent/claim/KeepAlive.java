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
    private boolean runsAlready;
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
        touch();
    }

    void stop() {
        stopped = true;
    }

    private void touch() {
        if (stopped) {
            return;
        }
        if (runsAlready) {
            runsAlready();
            return;
        }
        var unused = slot.gitlab()
                .thenCompose(gitlab -> gitlab.api().pending(job))
                .whenCompleteAsync(this::answered, slot.events());
    }

    private void answered(@Nullable GitLabAnswer answer, @Nullable Throwable failure) {
        if (stopped) {
            return;
        }
        if (answer != null && answer.status() == 400) {
            runsAlready = true;
            runsAlready();
        } else if (answer != null && answer.saysEnded()) {
            LOG.info("slot {}: {} has ended in GitLab before it was committed", slot.id(), job);
            stopped = true;
        } else if (answer != null && answer.status() == 200 && overdue()) {
            LOG.warn(
                    "slot {}: the control plane could not be told of {} for {}: the claim is let lapse",
                    slot.id(),
                    job,
                    slot.settings().keepAliveAtMost());
            stopped = true;
        } else {
            if (answer == null || answer.status() != 200) {
                Object what = answer != null ? answer : String.valueOf(Repeater.cause(failure));
                LOG.warn("slot {}: claim of {} not kept alive: {}; trying again", slot.id(), job, what);
            }
            again();
        }
    }

    /** On a server without two phases nothing lapses by itself. */
    private void runsAlready() {
        if (recorded.getAsBoolean()) {
            stopped = true;
        } else if (overdue()) {
            LOG.warn(
                    "slot {}: the control plane could not be told of {} for {}: the job is failed",
                    slot.id(),
                    job,
                    slot.settings().keepAliveAtMost());
            stopped = true;
            giveUp.run();
        } else {
            again();
        }
    }

    private boolean overdue() {
        return !recorded.getAsBoolean() && !slot.clock().instant().isBefore(deadline);
    }

    private void again() {
        Duration pause = slot.settings().keepAliveEvery();
        Duration left = Duration.between(slot.clock().instant(), deadline);
        if (!recorded.getAsBoolean() && left.compareTo(pause) < 0) {
            pause = left.compareTo(slot.settings().retryEvery()) > 0
                    ? left
                    : slot.settings().retryEvery();
        }
        var unused = slot.events().schedule(this::touch, pause.toMillis(), TimeUnit.MILLISECONDS);
    }
}
