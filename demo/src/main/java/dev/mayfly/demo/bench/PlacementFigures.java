package dev.mayfly.demo.bench;

import dev.mayfly.activities.placement.Decision;
import dev.mayfly.activities.placement.Placement;
import dev.mayfly.activities.placement.Request;
import dev.mayfly.activities.placement.Room;
import dev.mayfly.activities.placement.Rules;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How long placement takes to decide when a VM has ended on a full fleet, over the whole queue; the floor is reading all
 * that it is given once.
 */
final class PlacementFigures {

    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");
    private static final int WARM_UP = 2000;
    private static final double MOST_MILLIS = 1;

    private final int hosts;
    private final int queued;
    private final int decisions;
    private long read;

    PlacementFigures(int hosts, int queued, int decisions) {
        this.hosts = hosts;
        this.queued = queued;
        this.decisions = decisions;
    }

    record Result(Measurement measurement, Goal goal) {}

    Result run() {
        JobMix mix = new JobMix(1);
        PlayedFleet fleet = new PlayedFleet(hosts, false);
        List<Request> queue = new ArrayList<>();
        Instant now = BEGIN;
        List<Duration> times = new ArrayList<>();
        List<Duration> floors = new ArrayList<>();
        fill(fleet, mix, queue);
        for (int i = 0; i < WARM_UP + decisions; i++) {
            PlayedFleet.Vm ended = fleet.endNext();
            if (ended == null) {
                throw new IllegalStateException("nothing runs on the fleet");
            }
            now = ended.end();
            while (queue.size() < queued) {
                queue.add(mix.request(null));
            }
            List<Room> rooms = List.copyOf(fleet.rooms());
            long floor = floor(rooms, queue);
            long begin = System.nanoTime();
            Decision decision = Placement.place(rooms, queue, List.of(), Rules.standard(), now);
            long took = System.nanoTime() - begin;
            if (i >= WARM_UP) {
                times.add(Duration.ofNanos(took));
                floors.add(Duration.ofNanos(floor));
            }
            apply(decision, fleet, mix, queue, now);
        }
        Distribution measured = Distribution.of(times);
        String name = "one decision, %d hosts, %d queued".formatted(hosts, queued);
        return new Result(
                new Measurement(
                        name,
                        "the caller's clock",
                        measured,
                        "each host and request read once",
                        Distribution.of(floors)),
                Goal.atMost(name + ", p99", measured.p99(), MOST_MILLIS, "ms"));
    }

    private void fill(PlayedFleet fleet, JobMix mix, List<Request> queue) {
        while (true) {
            for (int i = 0; i < queued; i++) {
                queue.add(mix.request(null));
            }
            Decision decision = Placement.place(List.copyOf(fleet.rooms()), queue, List.of(), Rules.standard(), BEGIN);
            apply(decision, fleet, mix, queue, BEGIN);
            if (queue.size() >= queued) {
                queue.subList(queued, queue.size()).clear();
                return;
            }
        }
    }

    static void apply(Decision decision, PlayedFleet fleet, JobMix mix, List<Request> queue, Instant now) {
        Set<String> granted = new HashSet<>();
        for (Decision.Grant grant : decision.grants()) {
            granted.add(grant.request().job());
            Duration lasts = grant.request().expected();
            fleet.start(host(grant.room()), grant.request().size(), now.plus(lasts == null ? mix.duration() : lasts));
        }
        queue.removeIf(request -> granted.contains(request.job()));
        queue.replaceAll(request -> {
            Integer passed = decision.passed().get(request.job());
            return passed == null ? request : request.passed(passed);
        });
    }

    private static int host(Room room) {
        return Integer.parseInt(room.hostId().substring("host-".length()));
    }

    private long floor(List<Room> rooms, List<Request> queue) {
        long begin = System.nanoTime();
        for (Room room : rooms) {
            read += room.free().memoryMib();
        }
        for (Request request : queue) {
            read += request.size().memoryMib();
        }
        if (read == 0) {
            throw new IllegalStateException("nothing was read");
        }
        return System.nanoTime() - begin;
    }
}
