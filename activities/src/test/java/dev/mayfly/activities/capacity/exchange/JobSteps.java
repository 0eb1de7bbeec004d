package dev.mayfly.activities.capacity.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.SlotView;
import dev.mayfly.activities.capacity.exchange.SimulatedJob.InGitLab;
import dev.mayfly.activities.capacity.exchange.SimulatedJob.Workflow;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.Poll;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.State;
import dev.mayfly.workflows.activity.Holding;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** What a job's workflow, and the sweeper for one that was terminated, may do next. */
final class JobSteps {

    private final World world;

    JobSteps(World world) {
        this.world = world;
    }

    List<Step> next(SimulatedJob job) {
        List<Step> steps = new ArrayList<>();
        starts(job, steps);
        if (job.workflow == Workflow.LIVES) {
            lives(job, steps);
        }
        if (job.workflow.isRunning()) {
            dismantles(job, steps);
        }
        if (job.status.hasEnded() && !job.endRecorded) {
            steps.add(Step.of("the webhook of job %d's end is handled".formatted(job.number()), () -> {
                job.endRecorded = true;
                world.plane.ended(job.job, "canceled");
            }));
        }
        boolean inHand = world.vms.values().stream().anyMatch(vm -> vm.answer == job || vm.claim == job);
        if (job.status == InGitLab.CLAIMED && !inHand) {
            steps.add(Step.of("the lost claim of job %d ends".formatted(job.number()), job::fail));
        }
        return steps;
    }

    private void starts(SimulatedJob job, List<Step> steps) {
        boolean waits = job.status == InGitLab.PENDING || (world.twoPhase && job.status == InGitLab.CLAIMED);
        boolean absent = job.workflow == Workflow.NONE || job.workflow == Workflow.TERMINATED;
        if (absent && waits && job.isOurs()) {
            steps.add(Step.of("workflow %d starts".formatted(job.number()), () -> {
                if (world.plane.seen(job.job)) {
                    job.workflow = Workflow.LIVES;
                }
            }));
        }
        if (job.startDue) {
            steps.add(Step.of("the claim's signal starts workflow %d".formatted(job.number()), () -> {
                job.startDue = false;
                job.workflow = absent ? Workflow.LIVES : job.workflow;
            }));
        }
    }

    private void lives(SimulatedJob job, List<Step> steps) {
        boolean news = job.view != world.usedBy(job) || (job.view == null && !job.asked);
        if (job.status.hasEnded()) {
            steps.add(Step.transaction("workflow %d leaves".formatted(job.number()), () -> {
                if (world.plane.leave(job.job)) {
                    job.workflow = Workflow.LEAVES;
                }
            }));
        } else if (news) {
            steps.add(Step.transaction("workflow %d looks".formatted(job.number()), () -> look(job)));
        }
        SimulatedVm vm = job.view;
        if (vm != null) {
            calls(job, vm).forEach(steps::add);
            world.slot(vm)
                    .filter(slot -> slot.lost() && job.job.key().equals(slot.claimedBy()))
                    .filter(slot -> !job.status.hasEnded())
                    .ifPresent(slot -> steps.add(Step.of("lost job %d is failed".formatted(job.number()), () -> {
                        assertThat(world.plane.hostIsLost(slot)).isTrue();
                        job.fail();
                    })));
        }
    }

    void look(SimulatedJob job) {
        if (world.plane.hold(job.job)) {
            job.asked = true;
            job.view = world.usedBy(job);
        }
    }

    /** Calls to the host and to GitLab that would change something. */
    List<Step> calls(SimulatedJob job, SimulatedVm vm) {
        List<Step> calls = new ArrayList<>();
        String to = "(%s) by workflow %d".formatted(vm.slotId, job.number());
        if (vm.state != State.UP && !vm.tombstone && !world.isOld(vm)) {
            calls.add(Step.of("launch" + to, () -> world.launch(vm)));
        }
        if (!job.job.tags().equals(vm.runnerTags) && world.mayTag(vm)) {
            calls.add(Step.of("ensureRunner" + to, () -> vm.runnerTags = job.job.tags()));
        }
        if (vm.runnerTags != null && vm.state == State.UP && vm.poll == Poll.OFF && vm.claim == null) {
            calls.add(Step.of("claim" + to, () -> world.poll(vm)));
        }
        return calls;
    }

    private void dismantles(SimulatedJob job, List<Step> steps) {
        List<SlotView> owned = world.toDismantle(job);
        for (SlotView slot : owned) {
            SimulatedVm vm = world.vm(slot);
            if (vm.tombstone || slot.lost()) {
                steps.add(Step.transaction(
                        "workflow %d releases %s".formatted(job.number(), vm.slotId),
                        () -> world.plane.release(job.job, vm.slotId)));
            } else if (vm.destroy == null) {
                steps.add(Step.of("destroy(%s) by workflow %d".formatted(vm.slotId, job.number()), () -> {
                    Holding read = read(job, vm);
                    world.destroy(vm, job.job.key().workflowId(), read.claimedJobId());
                }));
            }
        }
        if (job.workflow == Workflow.LEAVES && owned.isEmpty()) {
            steps.add(Step.of("workflow %d is done".formatted(job.number()), () -> {
                assertThat(world.plane.toDismantle(job.job)).isEmpty();
                job.workflow = Workflow.DONE;
                job.view = null;
            }));
        }
    }

    /** The slot as the job reads it before it destroys it. */
    private Holding read(SimulatedJob job, SimulatedVm vm) {
        List<Holding> owned = world.plane.toDismantle(job.job);
        assertThat(owned)
                .extracting(Holding::slotId)
                .containsExactlyElementsOf(
                        world.toDismantle(job).stream().map(SlotView::slotId).toList());
        return owned.stream()
                .filter(slot -> slot.slotId().equals(vm.slotId))
                .findFirst()
                .orElseThrow();
    }

    /** The sweeper, for slots whose owner's workflow doesn't run. */
    List<Step> sweeper() {
        List<Step> steps = new ArrayList<>();
        for (SlotView slot : world.plane.now().live()) {
            SimulatedVm vm = world.vm(slot);
            if (slot.owner() == null) {
                sweptSlot(slot, vm, steps);
            } else if (!world.job(slot.owner()).workflow.isRunning() && !world.job(slot.owner()).startDue) {
                steps.add(Step.of(
                        "the sweeper decides on " + vm.slotId,
                        () -> world.late.add(
                                Step.transaction("the sweeper takes " + vm.slotId, () -> world.plane.sweep(slot)))));
            }
        }
        for (SimulatedVm vm : world.vms.values()) {
            if (vm.runnerTags != null && world.slot(vm).isEmpty()) {
                steps.add(Step.of("the runner of %s is removed".formatted(vm.slotId), () -> vm.runnerTags = null));
            }
        }
        return steps;
    }

    /** What its workflow begins with: nobody else would end the job. */
    private void failClaimed(SlotView slot) {
        if (slot.claimedBy() != null) {
            world.job(slot.claimedBy()).fail();
        }
    }

    private void sweptSlot(SlotView slot, SimulatedVm vm, List<Step> steps) {
        if (vm.tombstone || slot.lost()) {
            steps.add(Step.transaction("the sweeper releases " + vm.slotId, () -> {
                failClaimed(slot);
                world.plane.releaseSwept(vm.slotId);
            }));
        } else if (vm.destroy == null && slot.holder() == null) {
            steps.add(Step.of("destroy(%s) by the sweeper".formatted(vm.slotId), () -> {
                failClaimed(slot);
                world.destroy(
                        vm,
                        ModelCapacity.SWEEPER,
                        slot.claimedBy() == null
                                ? null
                                : Objects.requireNonNull(slot.claimedBy()).jobId());
            }));
        }
    }
}
