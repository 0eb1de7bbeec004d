package dev.mayfly.activities.capacity;

import dev.mayfly.activities.capacity.Why.Code;
import dev.mayfly.activities.jobs.JobView;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.placement.Decision.Waiting;
import dev.mayfly.activities.placement.Limit;
import dev.mayfly.activities.placement.Reason;
import dev.mayfly.activities.placement.Reason.Resource;
import dev.mayfly.workflows.activity.QueueActivities;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.VmSize;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/**
 * Says why a job does not run yet, by asking placement what it would decide now. Reads only, and without the dispatcher's
 * lock: what it says may be over a moment later.
 */
public final class WhyWaiting implements QueueActivities {

    private final Jdbi jdbi;
    private final PostgresCapacity capacity;
    private final Forecasts forecasts;
    private final Jobs jobs;

    public WhyWaiting(Jdbi jdbi, Jobs jobs, PostgresCapacity capacity, Forecasts forecasts) {
        this.jdbi = jdbi;
        this.jobs = jobs;
        this.capacity = capacity;
        this.forecasts = forecasts;
    }

    @Override
    public @Nullable String whyWaiting(JobKey job) {
        return jobs.find(job).map(this::of).map(Why::sentence).orElse(null);
    }

    public Why of(JobView job) {
        if (job.refusal() != null) {
            return new Why(Code.REFUSED, "it is refused: " + job.refusal());
        }
        if (job.phase() == null) {
            return new Why(Code.JUST_QUEUED, "its workflow has not begun");
        }
        return switch (job.phase()) {
            case DISMANTLING, DONE ->
                new Why(
                        Code.ENDED,
                        job.outcome() == null
                                ? "it has ended"
                                : "it has ended: " + job.outcome().detail());
            case RUNNING -> new Why(Code.RUNNING, "it runs in %s on %s".formatted(job.slotId(), job.hostId()));
            case LAUNCHING ->
                new Why(Code.STARTING, "its VM %s is being started on %s".formatted(job.slotId(), job.hostId()));
            case CLAIMING ->
                new Why(
                        Code.WAITS_FOR_GITLAB,
                        "its VM %s on %s is there and waits for GitLab to hand it the job"
                                .formatted(job.slotId(), job.hostId()));
            case QUEUED -> {
                Why why = inQueue(job);
                yield why.endsByItself()
                        ? why.withEta(forecasts.of(job.job().key().workflowId()).orElse(null))
                        : why;
            }
        };
    }

    private Why inQueue(JobView job) {
        String key = job.job().key().workflowId();
        Integer position = jdbi.withHandle(handle -> new Queue(handle).position(key));
        if (position == null) {
            return new Why(Code.JUST_QUEUED, "it was queued this moment");
        }
        Optional<Waiting> waiting = capacity.whyWaiting(key);
        if (waiting.isEmpty()) {
            return position > Dispatcher.DEPTH
                    ? new Why(Code.FAR_BEHIND, behind(position), position)
                    : new Why(Code.JUST_QUEUED, "there is room for it; it gets a slot in a moment", position);
        }
        return why(waiting.get(), position);
    }

    private static Why why(Waiting waiting, int position) {
        VmSize size = waiting.request().size();
        Reason reason = waiting.reason();
        String behind = behind(position);
        if (reason instanceof Reason.NoHostOfArch none) {
            return new Why(
                    Code.NO_HOST_OF_ARCH,
                    "it asks for %s, and no host is %1$s; add one"
                            .formatted(none.arch().tag()),
                    position);
        }
        if (reason instanceof Reason.NoHostWithLabels none) {
            return new Why(
                    Code.NO_HOST_WITH_LABELS,
                    "no host has the labels %s; label one by 'mayfly hosts label', or remove the tag"
                            .formatted(none.labels()),
                    position);
        }
        if (reason instanceof Reason.NoHostLargeEnough none) {
            return new Why(
                    Code.NO_HOST_LARGE_ENOUGH,
                    "it asks for %s and no host is so large; the largest have %s; ask for less, or add a host"
                            .formatted(size.label(), words(none.most())),
                    position);
        }
        if (reason instanceof Reason.NoHostReady none) {
            return new Why(
                    Code.NO_HOST_READY,
                    "no host that could run it takes VMs now: %d are silent, lost, drained, or could not run one lately; 'mayfly hosts' says which"
                            .formatted(none.hosts()),
                    position);
        }
        if (reason instanceof Reason.NoRoom none) {
            return new Why(
                    Code.NO_ROOM,
                    "%s %s free now; %s"
                            .formatted(
                                    none.hosts() == 1
                                            ? "the only host that could run it does not have"
                                            : "none of the %d hosts that could run it has".formatted(none.hosts()),
                                    size.label(),
                                    behind),
                    position);
        }
        if (reason instanceof Reason.ReservedFor other) {
            return new Why(
                    Code.RESERVED_FOR_ANOTHER,
                    "what is free is kept for %s, which has waited for longer; %s".formatted(other.job(), behind),
                    position);
        }
        if (reason instanceof Reason.ManyStarting many) {
            return new Why(
                    Code.MANY_STARTING,
                    "%d VMs are being started, as many as may be at once; %s".formatted(many.most(), behind),
                    position);
        }
        Reason.AtLimit limit = (Reason.AtLimit) reason;
        return new Why(Code.AT_LIMIT, limit(limit), position);
    }

    private static String behind(int position) {
        return switch (position) {
            case 1 -> "it is the next";
            case 2 -> "one job is before it";
            default -> "%d jobs are before it".formatted(position - 1);
        };
    }

    private static String limit(Reason.AtLimit at) {
        Limit limit = at.limit();
        String whose = limit.path().isEmpty() ? "GitLab " + limit.instance() : limit.path();
        Resource what = at.what();
        return switch (what) {
            case JOBS -> "%s has %d of %d jobs running".formatted(whose, at.used(), limit.jobs());
            case MILLI_CPUS ->
                "%s has %.1f of %.1f CPUs in use, and this job would be more than the rest"
                        .formatted(whose, at.used() / 1000.0, limit.milliCpus() / 1000.0);
            case MEMORY_MIB ->
                "%s has %d of %d MiB in use, and this job would be more than the rest"
                        .formatted(whose, at.used(), limit.memoryMib());
        };
    }

    private static String words(Capacity most) {
        return "%.1f CPUs, %d MiB of memory, %d MiB of disk"
                .formatted(most.milliCpus() / 1000.0, most.memoryMib(), most.diskMib());
    }
}
