package dev.mayfly.activities.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.placement.Decision.Grant;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/**
 * The bound that {@link Placement} proves, on fleets that never run out of small jobs behind the large ones, and whose
 * VMs end in any order, whatever was expected of them.
 */
class NoStarvationPropertyTest {

    private static final int LARGE = 2;

    /**
     * A fleet.
     *
     * @param adverse whether VMs end where that helps no head
     * @param seed decides who comes, what is expected of it, and who ends when
     */
    record Fleet(List<Integer> hosts, int passes, boolean expectations, boolean adverse, long seed) {}

    private record Vm(Request request, int host, Instant end) {}

    @Provide
    Arbitrary<Fleet> fleets() {
        return Combinators.combine(
                        Arbitraries.integers().between(2, 8).list().ofMinSize(1).ofMaxSize(4),
                        Arbitraries.integers().between(1, 3),
                        Arbitraries.of(true, false),
                        Arbitraries.of(true, false),
                        Arbitraries.longs())
                .as(Fleet::new);
    }

    @Property(tries = 500, shrinking = ShrinkingMode.OFF)
    void noRequestWaitsForMoreLaterGrantsThanTheBound(@ForAll("fleets") Fleet fleet) {
        Random random = new Random(fleet.seed());
        Rules rules = new Rules(random.nextBoolean(), 1, fleet.passes(), Fleets.size(1, 1, 1), 200, List.of());
        int most = fleet.hosts().stream().mapToInt(units -> units).max().orElse(0);
        int[] sizes = {most, 1 + random.nextInt(most)};
        List<Request> waiting = new ArrayList<>();
        for (int i = 0; i < LARGE; i++) {
            waiting.add(Fleets.request("large-" + i, sizes[i]));
        }
        Map<String, Integer> later = new HashMap<>();
        List<Vm> running = new ArrayList<>();
        Instant now = Fleets.NOW;
        int made = 0;
        while (waiting.stream().anyMatch(request -> request.job().startsWith("large"))) {
            while (waiting.size() < LARGE + 3) {
                waiting.add(small(made++, fleet, random));
            }
            List<Room> rooms = rooms(fleet, running);
            Decision decision = Placement.place(rooms, waiting, List.of(), rules, now);
            for (Grant grant : decision.grants()) {
                int host = rooms.indexOf(grant.room());
                running.add(new Vm(grant.request(), host, end(grant, now)));
                waiting.stream()
                        .filter(other ->
                                !other.equals(grant.request()) && grant.room().couldRun(other))
                        .forEach(other -> later.merge(other.job(), 1, Integer::sum));
                waiting.remove(grant.request());
                check(later.getOrDefault(grant.request().job(), 0), grant.request(), rooms, fleet);
            }
            waiting.forEach(request -> check(later.getOrDefault(request.job(), 0), request, rooms, fleet));
            waiting.replaceAll(request -> passed(request, decision));
            assertThat(running).as("nothing runs, and yet somebody waits").isNotEmpty();
            running.remove(nextToEnd(running, decision, rooms, fleet.adverse(), random));
            now = now.plus(Duration.ofMinutes(1));
        }
    }

    /** At worst nothing ends on a host that is closed for a head as long as anything runs elsewhere. */
    private static Vm nextToEnd(List<Vm> running, Decision decision, List<Room> rooms, boolean adverse, Random random) {
        Set<String> closed = decision.reservations().stream()
                .filter(reservation -> reservation.from() == null)
                .map(Decision.Reservation::hostId)
                .collect(Collectors.toSet());
        List<Vm> elsewhere = running.stream()
                .filter(vm -> !closed.contains(rooms.get(vm.host()).hostId()))
                .toList();
        List<Vm> candidates = adverse && !elsewhere.isEmpty() ? elsewhere : running;
        return candidates.get(random.nextInt(candidates.size()));
    }

    /** The small ones never become a head that is passed: what they ask for is what comes free. */
    private static void check(int later, Request request, List<Room> rooms, Fleet fleet) {
        if (request.job().startsWith("large")) {
            int ahead = request.job().equals("large-0") ? 0 : 1;
            int hosts = (int) rooms.stream()
                    .filter(room -> ahead > 0 || room.couldRun(request))
                    .count();
            int bound = ahead + (ahead + 1) * fleet.passes() * (hosts * hosts - hosts + 1);
            assertThat(later).as("later grants than %s in %s", request, fleet).isLessThanOrEqualTo(bound);
        }
    }

    private static Request small(int number, Fleet fleet, Random random) {
        Integer minutes = fleet.expectations() && random.nextInt(4) > 0 ? 1 + random.nextInt(20) : null;
        return Fleets.request("small-" + number, 1, 0, minutes);
    }

    private static Instant end(Grant grant, Instant now) {
        Duration expected = grant.request().expected();
        return expected == null ? Instant.MAX : now.plus(expected);
    }

    private static List<Room> rooms(Fleet fleet, List<Vm> running) {
        List<Room> rooms = new ArrayList<>();
        for (int i = 0; i < fleet.hosts().size(); i++) {
            int host = i;
            List<Room.Running> there = running.stream()
                    .filter(vm -> vm.host() == host)
                    .map(vm -> new Room.Running(
                            Placement.taken(vm.request().size()), vm.end().equals(Instant.MAX) ? null : vm.end()))
                    .toList();
            Capacity capacity = Fleets.even(fleet.hosts().get(i));
            Capacity free = new Capacity(
                    capacity.milliCpus()
                            - there.stream()
                                    .mapToInt(vm -> vm.takes().milliCpus())
                                    .sum(),
                    capacity.memoryMib()
                            - there.stream()
                                    .mapToInt(vm -> vm.takes().memoryMib())
                                    .sum(),
                    capacity.diskMib()
                            - there.stream()
                                    .mapToInt(vm -> vm.takes().diskMib())
                                    .sum());
            rooms.add(new Room("host-" + i, 1, true, Arch.X86_64, Set.of(), capacity, free, there));
        }
        return rooms;
    }

    private static Request passed(Request request, Decision decision) {
        return new Request(
                request.job(),
                request.instance(),
                request.projectPath(),
                request.size(),
                request.labels(),
                decision.passed().getOrDefault(request.job(), request.passed()),
                request.expected());
    }
}
