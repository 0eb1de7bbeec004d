package dev.mayfly.activities.placement;

import dev.mayfly.activities.placement.Reason.AtLimit;
import dev.mayfly.activities.placement.Reason.Resource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How much of each limit is used, while a pass goes on. */
final class Quotas {

    private final List<Quota> quotas = new ArrayList<>();

    private static final class Quota {
        final Limit limit;
        long jobs;
        long milliCpus;
        long memoryMib;

        Quota(Limit limit) {
            this.limit = limit;
        }

        void add(Usage usage) {
            jobs += usage.jobs();
            milliCpus += usage.milliCpus();
            memoryMib += usage.memoryMib();
        }
    }

    Quotas(List<Limit> limits, List<Usage> usages) {
        for (Limit limit : limits) {
            Quota quota = new Quota(limit);
            usages.stream()
                    .filter(usage -> limit.covers(usage.instance(), usage.projectPath()))
                    .forEach(quota::add);
            quotas.add(quota);
        }
    }

    /** The first limit that this request would exceed; null if none. */
    @Nullable
    AtLimit exceededBy(Request request) {
        for (Quota quota : quotas) {
            Limit limit = quota.limit;
            if (!limit.covers(request.instance(), request.projectPath())) {
                continue;
            }
            if (quota.jobs + 1 > limit.jobs()) {
                return new AtLimit(limit, Resource.JOBS, quota.jobs);
            }
            if (quota.milliCpus + request.size().milliCpus() > limit.milliCpus()) {
                return new AtLimit(limit, Resource.MILLI_CPUS, quota.milliCpus);
            }
            if (quota.memoryMib + request.size().memoryMib() > limit.memoryMib()) {
                return new AtLimit(limit, Resource.MEMORY_MIB, quota.memoryMib);
            }
        }
        return null;
    }

    void take(Request request) {
        Usage usage = new Usage(
                request.instance(),
                request.projectPath(),
                1,
                request.size().milliCpus(),
                request.size().memoryMib());
        for (Quota quota : quotas) {
            if (quota.limit.covers(usage.instance(), usage.projectPath())) {
                quota.add(usage);
            }
        }
    }
}
