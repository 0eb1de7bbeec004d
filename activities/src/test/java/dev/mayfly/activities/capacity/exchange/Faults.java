package dev.mayfly.activities.capacity.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.HostState;
import dev.mayfly.activities.capacity.exchange.CrashingConnections.Crash;
import dev.mayfly.activities.capacity.exchange.SimulatedJob.InGitLab;
import dev.mayfly.activities.capacity.exchange.SimulatedJob.Workflow;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.State;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import java.util.ArrayList;
import java.util.List;

/** What can go wrong next. */
final class Faults {

    private final World world;
    private final JobSteps jobSteps;
    private final HostSteps hostSteps;

    Faults(World world, JobSteps jobSteps, HostSteps hostSteps) {
        this.world = world;
        this.jobSteps = jobSteps;
        this.hostSteps = hostSteps;
    }

    /** @param planned what could happen next: of that, calls may come late and transactions may be cut off */
    List<Step> next(List<Step> planned) {
        List<Step> faults = new ArrayList<>();
        world.jobs.forEach(job -> ofJob(job, faults));
        world.vms.values().forEach(vm -> ofVm(vm, faults));
        world.room.keySet().stream()
                .filter(host -> !world.lostHosts.contains(host))
                .forEach(host -> ofHost(host, faults));
        for (Step step : planned) {
            if (step.transaction()) {
                faults.add(crash(step, Crash.BEFORE_COMMIT));
                faults.add(crash(step, Crash.AFTER_COMMIT));
            }
        }
        return faults;
    }

    private Step crash(Step step, Crash crash) {
        return Step.of("the control plane dies %s of: %s".formatted(crash, step.words()), () -> {
            world.plane.crashInNextTransaction(crash);
            step.run().run();
        });
    }

    private void ofJob(SimulatedJob job, List<Step> faults) {
        if (!job.status.hasEnded()) {
            faults.add(Step.of("the user cancels job %d".formatted(job.number()), () -> job.end(InGitLab.CANCELED)));
        }
        if (job.workflow.isRunning()) {
            faults.add(Step.of("workflow %d is terminated by hand".formatted(job.number()), () -> {
                job.workflow = Workflow.TERMINATED;
                job.view = null;
                job.asked = false;
                world.broke = true;
            }));
        }
        SimulatedVm vm = job.view;
        if (job.workflow != Workflow.LIVES || vm == null) {
            return;
        }
        faults.add(Step.of(
                "workflow %d gives %s up".formatted(job.number(), vm.slotId),
                () -> world.plane.giveUp(job.job, vm.slotId)));
        late(
                Step.of(
                        "giveUp(%s) by workflow %d".formatted(vm.slotId, job.number()),
                        () -> world.plane.giveUp(job.job, vm.slotId)),
                faults);
        late(Step.of("hold by workflow %d".formatted(job.number()), () -> world.plane.hold(job.job)), faults);
        late(
                Step.of("release(%s) by workflow %d".formatted(vm.slotId, job.number()), () -> releaseIfGone(job, vm)),
                faults);
        jobSteps.calls(job, vm).forEach(call -> late(call, faults));
    }

    /** A late release was sent because the VM was gone: it comes late only where that still is so. */
    private void releaseIfGone(SimulatedJob job, SimulatedVm vm) {
        if (vm.tombstone || world.isOld(vm)) {
            world.plane.release(job.job, vm.slotId);
        }
    }

    private void late(Step call, List<Step> faults) {
        faults.add(Step.of(call.words() + " is on its way", () -> world.late.add(call)));
    }

    private void ofVm(SimulatedVm vm, List<Step> faults) {
        SimulatedJob claim = vm.claim;
        if (claim != null && !vm.reported) {
            faults.add(Step.of("%s gives the claim of job %d up".formatted(vm.slotId, claim.number()), () -> {
                claim.fail();
                world.broke = true;
            }));
        }
        if (claim != null && vm.reported) {
            faults.add(Step.of(
                    "%s reports job %d once more".formatted(vm.slotId, claim.number()),
                    () -> world.plane.claimed(vm.hostId, vm.slotId, vm.epoch, claim.job)));
        }
        world.jobs.stream()
                .filter(job -> isAgainstAClaim(vm, job))
                .forEach(job -> faults.add(Step.of(
                        "an agent at fault reports job %d for %s".formatted(job.number(), vm.slotId),
                        () -> assertThat(world.plane.claimed(vm.hostId, vm.slotId, vm.epoch, job.job))
                                .isNotEqualTo(Verdict.HELD))));
        if (vm.state == State.UP) {
            faults.add(Step.of("the VM of %s dies".formatted(vm.slotId), () -> {
                vm.state = State.DEAD;
                world.broke = true;
            }));
        }
    }

    /** The slot holds the claim of another job, or the job was claimed by another slot. */
    private boolean isAgainstAClaim(SimulatedVm vm, SimulatedJob job) {
        return world.plane.now().live().stream()
                .filter(slot -> slot.claimedBy() != null)
                .anyMatch(
                        slot -> slot.slotId().equals(vm.slotId) != job.job.key().equals(slot.claimedBy()));
    }

    private void ofHost(String host, List<Step> faults) {
        faults.add(Step.of("the agent of %s crashes and restarts".formatted(host), () -> {
            hostSteps.crash(host);
            world.broke = true;
        }));
        faults.add(Step.of("%s is silent".formatted(host), () -> silence(host)));
        faults.add(Step.of("%s was made anew".formatted(host), () -> {
            world.plane.loseByNewAgent(host);
            hostSteps.isLost(host);
            world.broke = true;
        }));
    }

    private void silence(String host) {
        world.silentHosts.add(host);
        List<String> talking = world.room.keySet().stream()
                .filter(other -> !world.silentHosts.contains(other) && !world.lostHosts.contains(other))
                .toList();
        world.plane.silence(host, talking);
        world.room.keySet().stream()
                .filter(other -> world.plane.host(other).state == HostState.LOST)
                .forEach(hostSteps::isLost);
        world.broke = true;
    }
}
