package dev.mayfly.demo.bench;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** What Mayfly should keep to, over the floors of the same run. */
final class Goals {

    private static final double ANSWER_MILLIS = 50;
    private static final double OVER_FLOOR_MILLIS = 25;
    private static final double TAIL_FACTOR = 3;

    private static final double OVER_BY_HAND = 1.2;
    private static final double FIRST_LINE_MILLIS = 1000;
    private static final double OVER_BARE_WORKER = 1.3;
    private static final double PER_VM_MIB = 10;

    private Goals() {}

    static List<Goal> ofLaunches(LaunchLatency.Result result) {
        Distribution launched = result.launched().measured();
        Distribution floor = Objects.requireNonNull(result.launched().floor(), "launches have a floor");
        return List.of(
                Goal.atMost("webhook → 200, p99", result.answered().measured().p99(), ANSWER_MILLIS, "ms"),
                Goal.atMost(
                        "webhook → launch, p50 (floor + 25 ms)", launched.p50(), floor.p50() + OVER_FLOOR_MILLIS, "ms"),
                Goal.atMost("webhook → launch, p99 (3 × floor)", launched.p99(), TAIL_FACTOR * floor.p99(), "ms"));
    }

    /** The job's end has no goal: by hand nothing waits for GitLab or removes a runner. */
    static List<Goal> ofStarts(List<Measurement> starts) {
        Stream<Goal> absolute = starts.stream()
                .filter(start -> start.name().equals("webhook received → first script line (clone)"))
                .map(start ->
                        Goal.atMost(start.name() + ", p50", start.measured().p50(), FIRST_LINE_MILLIS, "ms"));
        return Stream.concat(overFloors(starts), absolute).toList();
    }

    private static Stream<Goal> overFloors(List<Measurement> starts) {
        return starts.stream()
                .filter(start -> start.name().startsWith("launch"))
                .map(start -> Goal.atMost(
                        start.name() + ", p50 (by hand + 20 %)",
                        start.measured().p50(),
                        OVER_BY_HAND
                                * Objects.requireNonNull(start.floor(), "a start has a floor")
                                        .p50(),
                        "ms"));
    }

    static List<Goal> ofMemory(MemoryUse.Result memory) {
        return List.of(
                Goal.atMost(
                        "agent's memory (1.3 × bare worker)",
                        memory.agent(),
                        OVER_BARE_WORKER * memory.bareWorker(),
                        "MiB"),
                Goal.atMost("agent and guard, more for each VM", memory.perVm(), PER_VM_MIB, "MiB"));
    }
}
