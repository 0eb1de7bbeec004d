package dev.mayfly.activities.capacity.exchange;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** One way through the world: a step at a time, by choice, then everything that can happen until nothing can. */
final class Story {

    private final World world;
    private final JobSteps jobSteps;
    private final HostSteps hostSteps;
    private final Faults faults;
    private final List<String> told = new ArrayList<>();
    private int faultsLeft;

    Story(World world, int faults) {
        this.world = world;
        this.jobSteps = new JobSteps(world);
        this.hostSteps = new HostSteps(world);
        this.faults = new Faults(world, jobSteps, hostSteps);
        this.faultsLeft = faults;
    }

    /** Takes one of the possible steps for each of the numbers; every seventh number may be a fault. */
    void tell(List<Integer> choices) {
        for (int choice : choices) {
            List<Step> steps = steps();
            List<List<Step>> wrong = choice % 7 == 0 && faultsLeft > 0 ? faults.next(steps) : List.of();
            if (!wrong.isEmpty()) {
                faultsLeft--;
                List<Step> kind = wrong.get(choice / 7 % wrong.size());
                take(kind.get(choice / 7 / wrong.size() % kind.size()));
            } else if (!steps.isEmpty()) {
                take(steps.get(choice % steps.size()));
            }
        }
    }

    /** Without further faults, and giving every step its turn, everything must come to a good end. */
    void bringToAnEnd(int mostRounds) {
        told.add("-- no faults from here on");
        for (int round = 0; round < mostRounds && !isOver(); round++) {
            List<Step> planned = steps();
            Set<String> possible = words(planned);
            for (Step step : planned) {
                if (possible.contains(step.words())) {
                    take(step);
                    possible = words(steps());
                }
            }
        }
        guarded(world::checkEnd);
    }

    private static Set<String> words(List<Step> steps) {
        return steps.stream().map(Step::words).collect(Collectors.toSet());
    }

    private boolean isOver() {
        return world.isOver() && world.late.isEmpty() && steps().isEmpty();
    }

    private List<Step> steps() {
        List<Step> steps = new ArrayList<>();
        world.plane.now().live().forEach(world::vm);
        world.jobs.forEach(job -> steps.addAll(jobSteps.next(job)));
        steps.addAll(jobSteps.sweeper());
        world.vms.values().forEach(vm -> steps.addAll(hostSteps.next(vm)));
        steps.addAll(hostSteps.hosts());
        for (Step call : world.late) {
            steps.add(new Step("late: " + call.words(), call.transaction(), () -> {
                world.late.remove(call);
                call.run().run();
            }));
        }
        return steps;
    }

    private void take(Step step) {
        told.add(step.words());
        guarded(() -> {
            step.run().run();
            world.check();
        });
    }

    private void guarded(Runnable deed) {
        try {
            deed.run();
        } catch (AssertionError | RuntimeException failure) {
            throw new AssertionError(
                    failure.getMessage() + "\nThe story:\n  " + String.join("\n  ", told) + "\nThe world:" + world,
                    failure);
        }
    }
}
