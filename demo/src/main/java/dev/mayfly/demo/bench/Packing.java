package dev.mayfly.demo.bench;

import dev.mayfly.activities.placement.Decision;
import dev.mayfly.activities.placement.Placement;
import dev.mayfly.activities.placement.Request;
import dev.mayfly.activities.placement.Room;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.apache.commons.math3.optim.MaxIter;
import org.apache.commons.math3.optim.PointValuePair;
import org.apache.commons.math3.optim.linear.LinearConstraint;
import org.apache.commons.math3.optim.linear.LinearConstraintSet;
import org.apache.commons.math3.optim.linear.LinearObjectiveFunction;
import org.apache.commons.math3.optim.linear.NonNegativeConstraint;
import org.apache.commons.math3.optim.linear.Relationship;
import org.apache.commons.math3.optim.linear.SimplexSolver;
import org.apache.commons.math3.optim.nonlinear.scalar.GoalType;

/**
 * How much of a fleet's CPUs and memory is in use while its queue never ends, by {@link JobMix}. The bound is a linear
 * program: no way of placing that runs every job sooner or later, so that the fleet's VMs are of the mix, uses more; not
 * even one that may cut VMs into pieces and spread them over hosts.
 */
final class Packing {

    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");
    private static final int WAITING = 200;
    private static final double LEAST = 0.97;

    private final int hosts;
    private final int jobs;

    /** @param jobs how many end while it is measured, after as many before */
    Packing(int hosts, int jobs) {
        this.hosts = hosts;
        this.jobs = jobs;
    }

    /** @param used percent of the fleet, CPU and memory in the mean, over time */
    record Result(Map<String, Double> used, Goal goal) {}

    private interface Strategy {
        Decision decide(List<Room> rooms, List<Request> queue, Instant now);
    }

    Result run() {
        double bound = bound();
        Map<String, Double> used = new LinkedHashMap<>();
        double best = use((rooms, queue, now) -> Placement.place(rooms, queue, List.of(), Rules.standard(), now), true);
        used.put("placement, durations known", best * 100);
        used.put(
                "placement, durations unknown",
                use((rooms, queue, now) -> Placement.place(rooms, queue, List.of(), Rules.standard(), now), false)
                        * 100);
        used.put("    first fit, no job is waited for", use(greedy(room -> 0), false) * 100);
        used.put(
                "    best fit by memory, no job is waited for",
                use(greedy(room -> room.free().memoryMib()), false) * 100);
        used.put("    bound: linear program", bound * 100);
        return new Result(
                used, Goal.atLeast("CPU and memory in use, share of the bound", best / bound * 100, LEAST * 100, "%"));
    }

    private double use(Strategy strategy, boolean expectations) {
        JobMix mix = new JobMix(7);
        PlayedFleet fleet = new PlayedFleet(hosts, expectations);
        List<Request> queue = new ArrayList<>();
        Instant now = BEGIN;
        double area = 0;
        double time = 0;
        for (int ended = -hosts * 20; ended < 2 * jobs; ended++) {
            while (queue.size() < WAITING) {
                queue.add(mix.request(expectations ? mix.duration() : null));
            }
            PlacementFigures.apply(strategy.decide(List.copyOf(fleet.rooms()), queue, now), fleet, mix, queue, now);
            if (ended < 0) {
                continue; // fills up
            }
            double inUse = (fleet.cpus() + fleet.memory()) / 2;
            PlayedFleet.Vm next = fleet.endNext();
            if (next == null) {
                throw new IllegalStateException("nothing runs on the fleet");
            }
            if (ended >= jobs) {
                double seconds = Duration.between(now, next.end()).toNanos() / 1e9;
                area += inUse * seconds;
                time += seconds;
            }
            now = next.end();
        }
        return area / time;
    }

    /** Each in its turn onto the host that has room and is first by {@code order}; others may pass for ever. */
    private static Strategy greedy(ToDoubleFunction<Room> order) {
        return (rooms, queue, now) -> {
            List<Room> left = new ArrayList<>(rooms);
            List<Decision.Grant> grants = new ArrayList<>();
            for (Request request : queue) {
                int best = -1;
                for (int i = 0; i < left.size(); i++) {
                    Room room = left.get(i);
                    if (Placement.fits(request.size(), room.arch(), room.free())
                            && (best < 0 || order.applyAsDouble(room) < order.applyAsDouble(left.get(best)))) {
                        best = i;
                    }
                }
                if (best >= 0) {
                    grants.add(new Decision.Grant(request, rooms.get(best), true));
                    left.set(best, left.get(best).without(request.size()));
                }
            }
            return new Decision(grants, List.of(), List.of(), Map.of());
        };
    }

    /** Variables: how many VMs of each size there are per host, then how many in all. */
    private static double bound() {
        int sizes = JobMix.PARTS.size();
        double[] use = new double[sizes + 1];
        double[] cpus = new double[sizes + 1];
        double[] memory = new double[sizes + 1];
        double[] disk = new double[sizes + 1];
        List<LinearConstraint> constraints = new ArrayList<>();
        for (int i = 0; i < sizes; i++) {
            VmSize size = JobMix.PARTS.get(i).size();
            cpus[i] = size.milliCpus() / (double) JobMix.HOST.milliCpus();
            memory[i] = size.hostMemoryMib() / (double) JobMix.HOST.memoryMib();
            disk[i] = size.diskMib() / (double) JobMix.HOST.diskMib();
            use[i] = (cpus[i] + memory[i]) / 2;
            double[] ofTheMix = new double[sizes + 1];
            ofTheMix[i] = 1;
            ofTheMix[sizes] = -JobMix.PARTS.get(i).percent() / 100.0;
            constraints.add(new LinearConstraint(ofTheMix, Relationship.EQ, 0));
        }
        for (double[] whole : List.of(cpus, memory, disk)) {
            constraints.add(new LinearConstraint(whole, Relationship.LEQ, 1));
        }
        PointValuePair best = new SimplexSolver()
                .optimize(
                        new MaxIter(10_000),
                        new LinearObjectiveFunction(use, 0),
                        new LinearConstraintSet(constraints),
                        GoalType.MAXIMIZE,
                        new NonNegativeConstraint(true));
        return best.getValue();
    }
}
