package dev.mayfly.activities.capacity;

import dev.mayfly.activities.db.Channel;
import dev.mayfly.activities.jobs.JobDao;
import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.activities.placement.Decision;
import dev.mayfly.activities.placement.Order;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.workflows.activity.CapacityActivities;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import dev.mayfly.workflows.job.VmSize;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/**
 * The transactions that change who holds and who owns which slot; nobody else does. One at a time, by an advisory lock
 * that dies with its transaction: a claim touches two jobs and two slots in an order that its caller can't choose, and
 * parallel jobs of one size claim each other's slots at once. The rules themselves stand in {@link Holdings}. Called by
 * workflows, by agents' calls and by the background loops; every call may be repeated after a crash.
 */
public final class PostgresCapacity implements CapacityActivities {

    /** The advisory lock's number: "mayfly" on a telephone's keys. */
    private static final long LOCK = 629359;

    private final Jdbi jdbi;
    private final Clock clock;
    private final Outbox outbox;
    private final Sealer sealer;
    private final Rules rules;
    private final Order order;
    private final BooleanSupplier isBehind;

    /**
     * Made by the wiring.
     *
     * @param isBehind whether this control plane is behind with its work, so that few VMs should be started
     */
    public PostgresCapacity(
            Jdbi jdbi, Clock clock, Outbox outbox, Sealer sealer, Rules rules, Order order, BooleanSupplier isBehind) {
        this.jdbi = jdbi;
        this.clock = clock;
        this.outbox = outbox;
        this.sealer = sealer;
        this.rules = rules;
        this.order = order;
        this.isBehind = isBehind;
    }

    /** One that is never behind. */
    public PostgresCapacity(Jdbi jdbi, Clock clock, Outbox outbox, Sealer sealer, Rules rules, Order order) {
        this(jdbi, clock, outbox, sealer, rules, order, () -> false);
    }

    /** As an installation that configures nothing about placement. */
    public PostgresCapacity(Jdbi jdbi, Clock clock, Outbox outbox, Sealer sealer) {
        this(jdbi, clock, outbox, sealer, Rules.standard(), Order.standard());
    }

    @Override
    public @Nullable Holding hold(CiJob job) {
        String key = job.key().workflowId();
        return jdbi.inTransaction(handle -> {
            SlotDao slots = handle.attach(SlotDao.class);
            SlotRow held = slots.heldBy(key);
            if (held != null) {
                return held.toHolding();
            }
            Instant now = clock.instant();
            JobDao jobs = handle.attach(JobDao.class);
            Boolean closed = slots.hasLeftOrIsRefused(key);
            if (closed == null) {
                jobs.ensure(job, now);
            }
            // foreign-never-queued: a job of no size lives with the claim that brought it
            if (job.size() == null || Boolean.TRUE.equals(closed)) {
                return null;
            }
            jobs.queued(key, now);
            enqueue(slots, job, job.size());
            if (tryLock(handle)) {
                Holding granted = dispatcher(handle).pass(key).get(key);
                if (granted != null) {
                    return granted;
                }
            } else {
                handle.execute("select pg_notify(?, '')", Channel.DISPATCH.pgName());
            }
            SlotRow meanwhile = slots.heldBy(key);
            return meanwhile == null ? null : meanwhile.toHolding();
        });
    }

    private Dispatcher dispatcher(Handle handle) {
        int most = isBehind.getAsBoolean() ? Math.max(1, rules.mostStarting() / 10) : rules.mostStarting();
        return new Dispatcher(handle, outbox, clock.instant(), rules, most, order);
    }

    private void enqueue(SlotDao slots, CiJob job, VmSize size) {
        JobKey key = job.key();
        slots.enqueue(
                key.workflowId(),
                key.instance() + ":" + key.projectId(),
                order.priority(key.instance(), job.projectPath(), job.ref()),
                order.charge(key.instance(), job.projectPath(), size));
    }

    /**
     * One dispatcher pass, after whoever is at it now: that one may have looked before the job came that this pass was
     * woken for.
     *
     * @return how many slots were granted
     */
    public int dispatch() {
        return jdbi.inTransaction(handle -> {
            lock(handle);
            return dispatcher(handle).pass(null).size();
        });
    }

    /** What keeps a queued job waiting now; empty if the next pass grants it a slot, or does not come to it. */
    Optional<Decision.Waiting> whyWaiting(String job) {
        return jdbi.withHandle(handle -> dispatcher(handle).why(job));
    }

    /**
     * GitLab handed this slot a job: the exchange. Both workflows learn by outbox; the claimed job's signal starts its
     * workflow if it isn't running. The same report gets the same answer.
     *
     * @param hostId the host that the caller's credential belongs to; checked against slot and report
     * @param claimed the job, known or looked up; its row is ensured by this transaction
     */
    public ClaimOutcome claimed(String hostId, ClaimReport report, ClaimedJob claimed) {
        byte[] sealed =
                sealer.seal(report.jobToken(), jobTokenContext(claimed.job().key()));
        return locked(jdbi, clock, outbox, holdings -> {
            holdings.ensure(claimed.job());
            return holdings.claimed(hostId, report, claimed, sealed);
        });
    }

    /** What a claimed job's sealed token is bound to. */
    public static String jobTokenContext(JobKey job) {
        return "job-token of " + job.workflowId();
    }

    @Override
    public void giveUp(JobKey job, String slotId, @Nullable String unfit) {
        locked(jdbi, clock, outbox, holdings -> {
            holdings.giveUp(job.workflowId(), slotId, unfit);
            return true;
        });
    }

    @Override
    public void leave(JobKey job) {
        locked(jdbi, clock, outbox, holdings -> {
            holdings.leave(job.workflowId());
            return true;
        });
    }

    @Override
    public List<Holding> toDismantle(JobKey job) {
        // held-now: what PostgreSQL says the job owns now, never what anybody remembers
        return jdbi.withExtension(SlotDao.class, slots -> slots.ownedBy(job.workflowId())).stream()
                .filter(slot -> slot.holder() == null)
                .map(SlotRow::toHolding)
                .toList();
    }

    @Override
    public boolean release(JobKey job, String slotId) {
        return locked(jdbi, clock, outbox, holdings -> holdings.release(job.workflowId(), slotId));
    }

    @Override
    public boolean hostIsLost(String hostId, long epoch) {
        HostRow host = jdbi.withExtension(HostDao.class, hosts -> hosts.host(hostId));
        return host == null || host.epoch() != epoch;
    }

    @Override
    public void recordPhase(JobKey job, JobPhase phase, @Nullable String slotId, @Nullable JobOutcome outcome) {
        String key = job.workflowId();
        Instant now = clock.instant();
        jdbi.useExtension(JobDao.class, jobs -> {
            if (phase == JobPhase.DONE) {
                jobs.recordEnd(
                        key,
                        outcome == null ? null : outcome.result(),
                        outcome == null ? slotId : outcome.slotId(),
                        outcome == null ? null : outcome.detail(),
                        now);
            } else {
                jobs.recordPhase(key, phase, slotId, now);
            }
        });
    }

    /**
     * The sweeper takes a slot whose owner's workflow isn't running. A workflow started again never gets it back.
     *
     * @param generation as read before the workflow was looked up
     * @return false if anything about the slot changed since: look again in the next sweep
     */
    public boolean sweep(String slotId, long generation) {
        return locked(jdbi, clock, outbox, holdings -> holdings.sweep(slotId, generation));
    }

    /**
     * Frees a slot that the sweeper took. Only after destroy was confirmed or the host is LOST, and, if it was claimed,
     * after {@code failLostJob}: the job's token is erased here.
     */
    public boolean releaseSwept(String slotId) {
        return locked(jdbi, clock, outbox, holdings -> holdings.release(SlotRow.SWEEPER, slotId));
    }

    /** One transaction that may change holdings; waits for its turn. */
    static <T> T locked(Jdbi jdbi, Clock clock, Outbox outbox, Function<Holdings, T> change) {
        return jdbi.inTransaction(handle -> {
            lock(handle);
            SlotDao slots = handle.attach(SlotDao.class);
            JobDao jobs = handle.attach(JobDao.class);
            return change.apply(new Holdings(handle, slots, jobs, outbox, clock.instant()));
        });
    }

    private static void lock(Handle handle) {
        handle.execute("select pg_advisory_xact_lock(?)", LOCK);
    }

    private static boolean tryLock(Handle handle) {
        return handle.createQuery("select pg_try_advisory_xact_lock(:lock)")
                .bind("lock", LOCK)
                .mapTo(Boolean.class)
                .one();
    }
}
