package dev.mayfly.activities.capacity;

import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.workflows.activity.CapacityActivities;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import java.time.Clock;
import java.util.List;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** The transactions that change who holds and who owns which slot; the only place that does. */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class PostgresCapacity implements CapacityActivities {

    public PostgresCapacity(Jdbi jdbi, Clock clock, Outbox outbox, Sealer sealer) {
        throw new UnsupportedOperationException("soon: " + jdbi + clock + outbox + sealer);
    }

    @Override
    public @Nullable Holding hold(CiJob job) {
        throw new UnsupportedOperationException("soon: " + job);
    }

    @Override
    public void giveUp(JobKey job, String slotId) {
        throw new UnsupportedOperationException("soon: " + job + slotId);
    }

    @Override
    public void leave(JobKey job) {
        throw new UnsupportedOperationException("soon: " + job);
    }

    @Override
    public List<Holding> toDismantle(JobKey job) {
        throw new UnsupportedOperationException("soon: " + job);
    }

    @Override
    public boolean release(JobKey job, String slotId) {
        throw new UnsupportedOperationException("soon: " + job + slotId);
    }

    @Override
    public boolean hostIsLost(String hostId, long epoch) {
        throw new UnsupportedOperationException("soon: " + hostId + epoch);
    }

    @Override
    public void recordPhase(JobKey job, JobPhase phase, @Nullable String slotId, @Nullable JobOutcome outcome) {
        throw new UnsupportedOperationException("soon: " + job + phase + slotId + outcome);
    }

    /**
     * GitLab handed this slot a job: the exchange. Both workflows learn by outbox; the claimed job's signal starts its
     * workflow if it isn't running. The same report gets the same answer.
     *
     * @param hostId the host that the caller's credential belongs to; checked against slot and report
     * @param claimed the job, known or looked up; its row is ensured by this transaction
     */
    public ClaimOutcome claimed(String hostId, ClaimReport report, ClaimedJob claimed) {
        throw new UnsupportedOperationException("soon: " + hostId + report + claimed);
    }

    /** One dispatcher pass; returns how many slots were granted, 0 also if another process dispatches. */
    public int dispatch() {
        throw new UnsupportedOperationException("soon");
    }

    /**
     * The sweeper takes a slot whose owner's workflow isn't running. A workflow started again never gets it back.
     *
     * @param generation as read before the workflow was looked up
     * @return false if anything about the slot changed since: look again in the next sweep
     */
    public boolean sweep(String slotId, long generation) {
        throw new UnsupportedOperationException("soon: " + slotId + generation);
    }

    /**
     * Frees a slot that the sweeper took. Only after destroy was confirmed or the host is LOST, and, if it was claimed,
     * after {@code failLostJob}: the job's token is erased here.
     */
    public boolean releaseSwept(String slotId) {
        throw new UnsupportedOperationException("soon: " + slotId);
    }
}
