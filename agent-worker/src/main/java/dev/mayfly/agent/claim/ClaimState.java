package dev.mayfly.agent.claim;

import dev.mayfly.agent.claim.ClaimStore.Progress;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a slot's claim stands, in memory and in {@link ClaimStore} in step, so that a restarted agent goes on from here.
 * On the event thread, but for {@link #job}.
 */
final class ClaimState {

    private static final Logger LOG = LoggerFactory.getLogger(ClaimState.class);

    private final SlotContext slot;
    private volatile @Nullable ClaimedJob job;
    private Stage stage = Stage.OPEN;
    private Progress progress = Progress.NONE;
    private @Nullable String adviceWhenHeld;

    ClaimState(SlotContext slot) {
        this.slot = slot;
    }

    /** The stages of a claim, in their order. */
    enum Stage {
        /** No claim. Asks GitLab for a job if one is wanted. */
        OPEN,
        /** A claim is stored; the control plane has not recorded it yet. */
        CLAIMED,
        /** Recorded. Waits for the run call of the claimed job's workflow. */
        HELD,
        /** GitLab took {@code running}; the relay offers the job to the VM. */
        COMMITTED,
        /** It is known how the job ended. */
        ENDED,
        /** Refused, or about to be destroyed: asks and serves nothing any more. */
        CLOSED
    }

    Stage stage() {
        return stage;
    }

    boolean is(Stage asked) {
        return stage == asked;
    }

    /** The job in hand, also where its claim was given up; from any thread. */
    Optional<ClaimedJob> job() {
        return Optional.ofNullable(job);
    }

    ClaimedJob claimedJob() {
        ClaimedJob claimed = job;
        if (claimed == null) {
            throw new IllegalStateException("slot " + slot.id() + " has no claim in stage " + stage);
        }
        return claimed;
    }

    boolean isClaimOf(JobKey key) {
        ClaimedJob claimed = job;
        return claimed != null
                && key.jobId() == claimed.id()
                && key.instance().equals(slot.vm().instance());
    }

    Instant claimedAt() {
        return Instant.ofEpochMilli(progress.claimedAtMillis());
    }

    /** With which the job was committed, null if it is not. */
    @Nullable
    Executor executor() {
        return progress.executor();
    }

    /** How the committed job gets more memory, as the end of a sentence; null if unknown. */
    @Nullable
    String memoryAdvice() {
        return progress.memoryAdvice();
    }

    /** Whether the job's first PUT or PATCH has passed to GitLab. */
    boolean isUpdated() {
        return progress.updated();
    }

    /** How the job ended, null if that isn't known. */
    @Nullable
    Ran end() {
        return progress.ended();
    }

    /** Takes up what an earlier life of the agent stored. */
    void resume() {
        try {
            progress = slot.store().progress();
            Optional<byte[]> stored = slot.store().claim();
            if (progress.refused()) {
                stage = Stage.CLOSED;
            } else if (stored.isPresent()) {
                job = ClaimedJob.parse(stored.get());
                boolean committed = progress.committed() || slot.vm().wasServed();
                stage = progress.ended() != null ? Stage.ENDED : committed ? Stage.COMMITTED : Stage.CLAIMED;
                if (progress.claimedAtMillis() == 0) { // killed just after the claim itself was stored
                    keep(progress.claimedAt(slot.clock().millis()));
                }
                LOG.info("slot {}: resumes {} as {}", slot.id(), slot.keyOf(claimedJob()), stage);
            }
        } catch (IOException e) {
            // It may hold a claim, so it must not ask for another job. The control plane ends the job that is lost.
            LOG.error(
                    "slot {}: what is stored of its claim can't be read: it asks no more: {}", slot.id(), e.toString());
            stage = Stage.CLOSED;
        }
    }

    /** Stores GitLab's answer before anything else. */
    void claimed(ClaimedJob claimed) throws IOException {
        slot.store().keepClaim(claimed.payload());
        keep(Progress.NONE.claimedAt(slot.clock().millis()));
        job = claimed;
        stage = Stage.CLAIMED;
    }

    /** @param memoryAdvice how the job gets more memory, null if unknown */
    void held(@Nullable String memoryAdvice) {
        adviceWhenHeld = memoryAdvice;
        stage = Stage.HELD;
    }

    void committed(Executor executor) {
        keep(progress.committedFor(executor, adviceWhenHeld));
        stage = Stage.COMMITTED;
    }

    void updated() {
        if (stage == Stage.COMMITTED && !progress.updated()) {
            keep(progress.withUpdate());
        }
    }

    /** The first end counts. */
    void ended(Ran end) {
        if (stage == Stage.HELD || stage == Stage.COMMITTED) {
            LOG.info("slot {}: {} ended: {}: {}", slot.id(), slot.keyOf(claimedJob()), end.end(), end.detail());
            keep(progress.withEnd(end));
            stage = Stage.ENDED;
        }
    }

    /** The claim is void: the slot may ask for another job. */
    void erased() {
        erase(Progress.NONE, Stage.OPEN);
    }

    /** The slot is none any more: it must never ask again, not even after a restart. */
    void refused() {
        erase(Progress.NONE.withRefusal(), Stage.CLOSED);
    }

    void close() {
        stage = Stage.CLOSED;
    }

    /** What comes after is stored first: cut in between, a refused slot is not taken for one that may ask. */
    private void erase(Progress next, Stage then) {
        keep(next);
        job = null;
        stage = then;
        try {
            slot.store().eraseClaim();
        } catch (IOException e) {
            LOG.error("slot {}: its claim can't be erased: it asks no more: {}", slot.id(), e.toString());
            stage = Stage.CLOSED;
        }
    }

    private void keep(Progress next) {
        progress = next;
        try {
            slot.store().keep(next);
        } catch (IOException e) {
            // After a restart the steps since the last stored one are done again; each may be.
            LOG.error("slot {}: how far its claim has come can't be stored: {}", slot.id(), e.toString());
        }
    }
}
