package dev.mayfly.activities.placement;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import java.util.Set;

/** Why a job was not granted a slot, with what a user would ask next. */
public sealed interface Reason {

    /** No host has this architecture. */
    record NoHostOfArch(Arch arch) implements Reason {}

    /** No host of its architecture has all of these labels. */
    record NoHostWithLabels(Set<String> labels) implements Reason {}

    /**
     * No host has this much at all, even when empty.
     *
     * @param most the most that any one of them has of each, not all of it on the same host
     */
    record NoHostLargeEnough(Capacity most) implements Reason {}

    /** Each host that could run it is silent or otherwise given nothing now. */
    record NoHostReady(int hosts) implements Reason {}

    /** None of the hosts that could run it has so much free now. */
    record NoRoom(int hosts) implements Reason {}

    /** There would be room, but it is kept for a job that has waited for longer. */
    record ReservedFor(String job) implements Reason {}

    /** There is room, but as many slots wait for their jobs as may at once. */
    record ManyStarting(int most) implements Reason {}

    /**
     * Its project, group or instance has as much as it may have.
     *
     * @param used of {@code what}, in the unit of {@link Limit}; with this job it would be more than the limit
     */
    record AtLimit(Limit limit, Resource what, long used) implements Reason {}

    /** What a limit limits. */
    enum Resource {
        JOBS,
        MILLI_CPUS,
        MEMORY_MIB
    }
}
