package dev.mayfly.activities.placement;

import dev.mayfly.activities.placement.Decision.Grant;
import dev.mayfly.activities.placement.Decision.Reservation;
import dev.mayfly.activities.placement.Decision.Waiting;
import dev.mayfly.activities.placement.Request.Shape;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One pass over the queue by the rules of {@link Placement}. What one request was refused for holds for all behind it
 * that ask for the same: in a pass room only shrinks and reservations only grow. So each shape's hosts are looked at once
 * for each grant and once in vain, however long the queue is.
 */
final class PlacementPass {

    private final List<Place> places = new ArrayList<>();
    private final Quotas quotas;
    private final Rules rules;
    private final Instant now;
    private final List<Head> heads = new ArrayList<>();
    /** The hosts that could run a head. */
    private final BitSet waitedFor = new BitSet();

    private final Map<Shape, Outlook> outlooks = new HashMap<>();
    private final List<Grant> grants = new ArrayList<>();
    private final List<Waiting> waiting = new ArrayList<>();

    /** Why requests of a shape can't be granted any more in this pass. */
    private static final class Outlook {
        @Nullable
        Reason refused;
        /** By how long they are expected to take. */
        final Map<Optional<Duration>, Reason> forNow = new HashMap<>();

        @Nullable
        Reason of(Request request) {
            return refused == null && !forNow.isEmpty() ? forNow.get(expected(request)) : refused;
        }
    }

    private static Optional<Duration> expected(Request request) {
        return Optional.ofNullable(request.expected());
    }

    private static final class Head {
        final Request request;
        final BitSet hosts;
        int passed;
        int closed;

        Head(Request request, BitSet hosts) {
            this.request = request;
            this.hosts = hosts;
            this.passed = request.passed();
        }
    }

    PlacementPass(List<Room> rooms, Quotas quotas, Rules rules, Instant now) {
        for (Room room : rooms) {
            places.add(new Place(room, places.size()));
        }
        this.quotas = quotas;
        this.rules = rules;
        this.now = now;
    }

    /** The next request in the queue's order. */
    void look(Request request) {
        Reason limit = quotas.exceededBy(request);
        if (limit != null) {
            refuse(request, limit);
            return;
        }
        Outlook outlook = outlooks.computeIfAbsent(request.shape(), shape -> new Outlook());
        Reason known = outlook.of(request);
        if (known != null) {
            refuse(request, known);
            return;
        }
        String reservedFor = null;
        Place best = null;
        double bestLeftover = 0;
        for (Place place : places) {
            if (!place.hasRoom(request)) {
                continue;
            }
            if (!place.isOpenTo(request, now)) {
                reservedFor = place.reservedFor();
                continue;
            }
            double leftover = place.leftover(request.size());
            if (best == null || (rules.spread() ? leftover > bestLeftover : leftover < bestLeftover)) {
                best = place;
                bestLeftover = leftover;
            }
        }
        if (best != null) {
            grant(request, best);
        } else if (reservedFor != null) {
            Reason reason = new Reason.ReservedFor(reservedFor);
            outlook.forNow.put(expected(request), reason);
            refuse(request, reason);
            becomeHead(request, hostsOf(request));
        } else {
            BitSet hosts = hostsOf(request);
            Reason reason = hosts.isEmpty() ? never(request) : notNow(hosts);
            outlook.refused = reason;
            refuse(request, reason);
            becomeHead(request, hosts);
        }
    }

    private void refuse(Request request, Reason reason) {
        waiting.add(new Waiting(request, reason, waiting.size()));
    }

    private void grant(Request request, Place place) {
        boolean inOrder = true;
        place.take(request, now);
        quotas.take(request);
        for (Head head : heads) {
            if (head.hosts.get(place.index)) {
                inOrder = false;
                head.passed++;
                closeHosts(head);
            }
        }
        grants.add(new Grant(request, place.room, inOrder));
    }

    private BitSet hostsOf(Request request) {
        BitSet hosts = new BitSet(places.size());
        for (Place place : places) {
            if (place.room.couldRun(request)) {
                hosts.set(place.index);
            }
        }
        return hosts;
    }

    private void becomeHead(Request request, BitSet hosts) {
        BitSet others = (BitSet) hosts.clone();
        others.andNot(waitedFor);
        if (others.isEmpty()) {
            return;
        }
        Head head = new Head(request, hosts);
        heads.add(head);
        waitedFor.or(hosts);
        reserveEarliest(head);
        closeHosts(head);
    }

    private void reserveEarliest(Head head) {
        Place earliest = null;
        Instant from = null;
        for (Place place :
                readyOf(head).filter(place -> place.reservedFor() == null).toList()) {
            Instant time = place.roomFor(head.request, now);
            if (time != null && (from == null || time.isBefore(from))) {
                earliest = place;
                from = time;
            }
        }
        if (earliest != null) {
            earliest.reserve(head.request, Objects.requireNonNull(from), now);
        }
    }

    /** As many as it was passed often enough for. */
    private void closeHosts(Head head) {
        int often = rules.passesBeforeReserve();
        long due = head.passed < often ? 0 : 1 + (head.passed - often) / ((long) often * head.hosts.cardinality());
        while (head.closed < due) {
            Optional<Place> closest = readyOf(head)
                    .filter(place -> !place.isClosed())
                    .min(Comparator.comparingDouble(place -> place.lack(head.request.size())));
            if (closest.isEmpty()) {
                return;
            }
            closest.get().close(head.request.job());
            head.closed++;
        }
    }

    private Stream<Place> readyOf(Head head) {
        return head.hosts.stream().mapToObj(places::get).filter(place -> place.room.ready());
    }

    private Reason notNow(BitSet hosts) {
        boolean ready = hosts.stream().anyMatch(index -> places.get(index).room.ready());
        return ready ? new Reason.NoRoom(hosts.cardinality()) : new Reason.NoHostReady(hosts.cardinality());
    }

    private Reason never(Request request) {
        List<Room> ofArch =
                rooms().filter(room -> room.arch() == request.size().arch()).toList();
        if (ofArch.isEmpty()) {
            return new Reason.NoHostOfArch(request.size().arch());
        }
        List<Room> labelled = ofArch.stream()
                .filter(room -> room.labels().containsAll(request.labels()))
                .toList();
        return labelled.isEmpty()
                ? new Reason.NoHostWithLabels(request.labels())
                : new Reason.NoHostLargeEnough(new Capacity(
                        most(labelled.stream().map(room -> room.capacity().milliCpus())),
                        most(labelled.stream().map(room -> room.capacity().memoryMib())),
                        most(labelled.stream().map(room -> room.capacity().diskMib()))));
    }

    private Stream<Room> rooms() {
        return places.stream().map(place -> place.room);
    }

    private static int most(Stream<Integer> amounts) {
        return amounts.max(Comparator.naturalOrder()).orElse(0);
    }

    Decision decision() {
        List<Reservation> reservations = places.stream()
                .filter(place -> place.reservedFor() != null)
                .map(place ->
                        new Reservation(Objects.requireNonNull(place.reservedFor()), place.room.hostId(), place.from()))
                .toList();
        Map<String, Integer> passed = new LinkedHashMap<>();
        heads.stream()
                .filter(head -> head.passed > head.request.passed())
                .forEach(head -> passed.put(head.request.job(), head.passed));
        return new Decision(grants, waiting, reservations, passed);
    }
}
