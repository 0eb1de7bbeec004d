package dev.mayfly.activities.placement;

import dev.mayfly.workflows.job.VmSize;
import java.util.List;

/**
 * In which order jobs wait: by priority; within a priority by start-time fair queuing between projects (Goyal, Vin and
 * Cheng, <i>Start-time Fair Queuing</i>, SIGCOMM 1996); then by arrival. So that nobody waits for ever, every
 * <i>A</i>-th grant ({@link #promoteEvery}) promotes who has waited longest: promoted jobs come before all others, by
 * arrival.
 *
 * <p><b>Fair shares.</b> A job <em>starts</em> in virtual time where its project's job before it finishes, but not
 * before the virtual time of its arrival; it finishes {@link #charge} later. The virtual time of a priority is the latest
 * start of those that were granted in order, so a project that was idle saves nothing up, and one that passed a head
 * (see {@link Placement}) or was promoted moves no clock. Of two projects that always have jobs waiting and fit, what
 * each was granted, divided by its weight, differs by at most one largest job of each; promotions may add one grant in
 * <i>A</i>.
 *
 * <p><b>Bound.</b> If <i>w</i> jobs that came before it wait, or come back to wait, a job is promoted after at most
 * <i>A(w + 1) + B</i> further grants, since each promotion takes the oldest that is left, at the beginning of a pass, which
 * grants at most <i>B</i>. From then on only those <i>w</i> can be ahead of it. With the bound of {@link Placement}, at most
 * <i>A(w + 1) + B + w + (w + 1) · K(n² − n + 1)</i> later grants on hosts that could run it precede its own.
 *
 * @param promoteEvery <i>A</i>, at least 1; with 1 all wait by arrival alone
 * @param priorities the first that fits a job is its priority; 0 if none does
 * @param weights the first that covers a project is its weight; 1 if none does
 */
public record Order(int promoteEvery, List<Priority> priorities, List<Weight> weights) {

    /** What counts as much as a CPU: clouds sell their usual machines in this proportion. */
    private static final double MIB_PER_CPU = 4096;

    private static final double MILLIS = 1000;

    public Order {
        priorities = List.copyOf(priorities);
        weights = List.copyOf(weights);
        if (promoteEvery < 1) {
            throw new IllegalArgumentException("promoteEvery is %d; it must be at least 1".formatted(promoteEvery));
        }
    }

    /**
     * A job's place before others.
     *
     * @param instance the GitLab instance's name
     * @param path a project or a group with all its projects; empty for the whole instance
     * @param ref a branch or tag; {@code *} at its end stands for any rest
     * @param priority higher comes first
     */
    public record Priority(String instance, String path, String ref, int priority) {

        boolean fits(String inInstance, String projectPath, String ofRef) {
            return instance.equals(inInstance)
                    && Paths.covers(path, projectPath)
                    && (ref.endsWith("*") ? ofRef.startsWith(ref.substring(0, ref.length() - 1)) : ofRef.equals(ref));
        }
    }

    /** @param weight of each project that is covered, above 0: with twice the weight it is granted twice as much */
    public record Weight(String instance, String path, double weight) {

        public Weight {
            if (!(weight > 0)) {
                throw new IllegalArgumentException(
                        "the weight of '%s' is %s; it must be above 0".formatted(path, weight));
            }
        }
    }

    /** What an installation that configures nothing gets. */
    public static Order standard() {
        return new Order(20, List.of(), List.of());
    }

    public int priority(String instance, String projectPath, String ref) {
        return priorities.stream()
                .filter(one -> one.fits(instance, projectPath, ref))
                .findFirst()
                .map(Priority::priority)
                .orElse(0);
    }

    /**
     * What a grant of this size costs its project, in virtual time: CPUs or memory, whichever is the larger share of a
     * usual machine, divided by the project's weight. How long the job will run is not known when it is ordered.
     */
    public double charge(String instance, String projectPath, VmSize size) {
        double weight = weights.stream()
                .filter(one -> one.instance().equals(instance) && Paths.covers(one.path(), projectPath))
                .findFirst()
                .map(Weight::weight)
                .orElse(1.0);
        return Math.max(size.milliCpus() / MILLIS, size.memoryMib() / MIB_PER_CPU) / weight;
    }
}
