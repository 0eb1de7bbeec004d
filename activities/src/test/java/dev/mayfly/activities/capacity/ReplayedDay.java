package dev.mayfly.activities.capacity;

import dev.mayfly.activities.capacity.WaitModel.Past;
import dev.mayfly.activities.placement.Decision;
import dev.mayfly.activities.placement.Placement;
import dev.mayfly.activities.placement.Request;
import dev.mayfly.activities.placement.Room;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;

/**
 * A day of a small fleet, in memory: jobs come with two peaks, more at noon than there is room for, in sizes and lengths as
 * builds have them, and {@link Placement} decides. What a job's wait was guessed to be when it came, and what was known then,
 * is kept.
 */
final class ReplayedDay {

    private static final int HOSTS = 6;
    private static final Capacity HOST = new Capacity(16_000, 65_536, 500_000);
    private static final List<VmSize> SIZES = List.of(
            VmSize.of(2000, 4096, 10_240),
            VmSize.of(2000, 4096, 10_240),
            VmSize.of(4000, 8192, 10_240),
            VmSize.of(8000, 16_384, 10_240));
    private static final int DAY = 86_400;

    private final Random random;
    private final List<Room> rooms = new ArrayList<>();
    private final List<Job> queue = new ArrayList<>();
    private final List<Job> running = new ArrayList<>();
    private final List<Double> lived = new ArrayList<>();
    private final List<Past> ended = new ArrayList<>();
    private final List<Job> waited = new ArrayList<>();

    ReplayedDay(long seed) {
        this.random = new Random(seed);
        for (int i = 0; i < HOSTS; i++) {
            rooms.add(new Room("host-" + i, 1, true, Arch.X86_64, Set.of(), HOST, HOST, List.of()));
        }
    }

    /**
     * A job that had to wait.
     *
     * @param known what had ended when it came
     * @param waiting what waited then
     */
    record Waited(double guess, double seconds, List<Past> known, List<Past> waiting) {}

    private static final class Job {
        final String name;
        final VmSize size;
        final double came;
        final double lasts;
        double guess;
        double granted;
        int host;
        List<Past> known = List.of();
        List<Past> waiting = List.of();

        Job(int number, VmSize size, double came, double lasts) {
            this.name = "job-" + number;
            this.size = size;
            this.came = came;
            this.lasts = lasts;
        }
    }

    /** In the order in which they came. */
    List<Waited> play() {
        PriorityQueue<Job> ends = new PriorityQueue<>(Comparator.comparingDouble((Job job) -> job.granted + job.lasts));
        int number = 0;
        double next = arrival(0);
        while (next < DAY || !ends.isEmpty()) {
            Job first = ends.peek();
            if (first != null && first.granted + first.lasts <= next) {
                ends.poll();
                running.remove(first);
                lived.add(first.lasts);
                give(first, 1);
                place(first.granted + first.lasts, ends);
            } else if (next < DAY) {
                Job job = new Job(++number, SIZES.get(random.nextInt(SIZES.size())), next, length());
                queue.add(job);
                place(next, ends);
                if (queue.contains(job)) {
                    remember(job, next);
                }
                next = arrival(next);
            } else {
                next = Double.MAX_VALUE;
            }
        }
        return waited.stream()
                .sorted(Comparator.comparingDouble(job -> job.came))
                .map(job -> new Waited(job.guess, job.granted - job.came, job.known, job.waiting))
                .toList();
    }

    /** Poisson, with peaks at 10 and 15 o'clock. */
    private double arrival(double now) {
        double hour = now / 3600;
        double rate = 0.018 + 0.11 * (peak(hour, 10) + peak(hour, 15));
        return now - Math.log(1 - random.nextDouble()) / rate;
    }

    private static double peak(double hour, double at) {
        return Math.exp(-(hour - at) * (hour - at) / 3);
    }

    /** Lognormal, median four minutes. */
    private double length() {
        return 240 * Math.exp(0.8 * random.nextGaussian());
    }

    private void remember(Job job, double now) {
        long ahead = queue.stream().mapToLong(other -> other.size.milliCpus()).sum();
        long busy = running.stream().mapToLong(other -> other.size.milliCpus()).sum();
        job.guess = WaitModel.guess(
                ahead,
                busy,
                lived.subList(Math.max(0, lived.size() - 100), lived.size()).stream()
                        .mapToDouble(one -> one)
                        .average()
                        .orElse(240));
        job.known = List.copyOf(ended.subList(Math.max(0, ended.size() - 400), ended.size()));
        job.waiting = queue.stream()
                .filter(other -> !other.equals(job) && other.guess > 0)
                .map(other -> new Past(other.guess, now - other.came))
                .toList();
        waited.add(job);
    }

    private void place(double now, PriorityQueue<Job> ends) {
        Map<String, Job> byName = new HashMap<>();
        List<Request> requests = new ArrayList<>();
        for (Job job : queue) {
            byName.put(job.name, job);
            requests.add(new Request(job.name, "gl", "acme/app", job.size, Set.of(), 0, null));
        }
        Decision decision = Placement.place(
                rooms, requests, List.of(), Rules.standard(), Instant.ofEpochMilli((long) (now * 1000)));
        for (Decision.Grant grant : decision.grants()) {
            Job job =
                    java.util.Objects.requireNonNull(byName.get(grant.request().job()));
            job.granted = now;
            job.host = Integer.parseInt(grant.room().hostId().substring("host-".length()));
            give(job, -1);
            queue.remove(job);
            running.add(job);
            ends.add(job);
            if (job.guess > 0) {
                ended.add(new Past(job.guess, now - job.came));
            }
        }
    }

    private void give(Job job, int sign) {
        Room room = rooms.get(job.host);
        Capacity free = room.free();
        rooms.set(
                job.host,
                new Room(
                        room.hostId(),
                        1,
                        true,
                        Arch.X86_64,
                        Set.of(),
                        HOST,
                        new Capacity(
                                free.milliCpus() + sign * job.size.milliCpus(),
                                free.memoryMib() + sign * job.size.hostMemoryMib(),
                                free.diskMib() + sign * job.size.diskMib()),
                        List.of()));
    }
}
