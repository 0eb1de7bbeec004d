package dev.mayfly.activities.capacity.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.HostState;
import dev.mayfly.activities.capacity.exchange.CrashingConnections.Crash;
import dev.mayfly.activities.capacity.exchange.SimulatedJob.InGitLab;
import dev.mayfly.activities.capacity.exchange.SimulatedJob.Workflow;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.State;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

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

    /**
     * The faults that are possible now, by kind, so that a choice of kinds is a fair one.
     *
     * @param planned what could happen next: of that, transactions may be cut off
     */
    List<List<Step>> next(List<Step> planned) {
        List<String> hosts = world.room.keySet().stream()
                .filter(host -> !world.lostHosts.contains(host))
                .toList();
        List<SimulatedJob> lives = world.jobs.stream()
                .filter(job -> job.workflow == Workflow.LIVES && job.view != null)
                .toList();
        List<Step> transactions = planned.stream().filter(Step::transaction).toList();
        return Stream.of(
                        world.jobs.stream().flatMap(this::cancel),
                        world.jobs.stream().flatMap(this::terminate),
                        lives.stream().map(job -> giveUp(job, vmOf(job))),
                        lives.stream().flatMap(job -> lateCalls(job, vmOf(job))),
                        world.jobs.stream().flatMap(this::lateHold),
                        world.vms.values().stream().flatMap(this::planeIsAway),
                        world.vms.values().stream().flatMap(this::reportsAgain),
                        world.vms.values().stream().flatMap(this::wrongReports),
                        world.vms.values().stream().flatMap(this::vmDies),
                        hosts.stream().map(this::agentCrashes),
                        hosts.stream().map(this::isSilent),
                        hosts.stream().map(this::isMadeAnew),
                        transactions.stream().map(step -> crash(step, Crash.BEFORE_COMMIT)),
                        transactions.stream().map(step -> crash(step, Crash.AFTER_COMMIT)))
                .map(Stream::toList)
                .filter(kind -> !kind.isEmpty())
                .toList();
    }

    private static SimulatedVm vmOf(SimulatedJob job) {
        return Objects.requireNonNull(job.view);
    }

    private Step crash(Step step, Crash crash) {
        return Step.of("the control plane dies %s of: %s".formatted(crash, step.words()), () -> {
            world.plane.crashInNextTransaction(crash);
            step.run().run();
        });
    }

    private Stream<Step> cancel(SimulatedJob job) {
        return job.status.hasEnded()
                ? Stream.of()
                : Stream.of(
                        Step.of("the user cancels job %d".formatted(job.number()), () -> job.end(InGitLab.CANCELED)));
    }

    private Stream<Step> terminate(SimulatedJob job) {
        return !job.workflow.isRunning()
                ? Stream.of()
                : Stream.of(Step.of("workflow %d is terminated by hand".formatted(job.number()), () -> {
                    job.workflow = Workflow.TERMINATED;
                    job.view = null;
                    job.asked = false;
                    world.broke = true;
                }));
    }

    private Step giveUp(SimulatedJob job, SimulatedVm vm) {
        return Step.of(
                "giveUp(%s) by workflow %d".formatted(vm.slotId, job.number()),
                () -> world.plane.giveUp(job.job, vm.slotId));
    }

    /** Of a workflow that may have been terminated, or be done, since it asked. */
    private Stream<Step> lateHold(SimulatedJob job) {
        return job.workflow == Workflow.NONE
                ? Stream.of()
                : Stream.of(
                        Step.of("late: hold by workflow %d".formatted(job.number()), () -> world.plane.hold(job.job)));
    }

    private Stream<Step> lateCalls(SimulatedJob job, SimulatedVm vm) {
        Step release =
                Step.of("release(%s) by workflow %d".formatted(vm.slotId, job.number()), () -> releaseIfGone(job, vm));
        return Stream.concat(Stream.of(giveUp(job, vm), release), jobSteps.calls(job, vm).stream())
                .map(call -> Step.of(call.words() + " is on its way", () -> world.late.add(call)));
    }

    /** A late release was sent because the VM was gone: it comes late only where that still is so. */
    private void releaseIfGone(SimulatedJob job, SimulatedVm vm) {
        if (vm.tombstone || world.isOld(vm)) {
            world.plane.release(job.job, vm.slotId);
        }
    }

    private Stream<Step> planeIsAway(SimulatedVm vm) {
        SimulatedJob claim = vm.claim;
        return claim == null || vm.reported
                ? Stream.of()
                : Stream.of(Step.of("%s gives the claim of job %d up".formatted(vm.slotId, claim.number()), () -> {
                    claim.fail();
                    world.broke = true;
                }));
    }

    private Stream<Step> reportsAgain(SimulatedVm vm) {
        SimulatedJob claim = vm.claim;
        return claim == null || !vm.reported
                ? Stream.of()
                : Stream.of(Step.of(
                        "%s reports job %d once more".formatted(vm.slotId, claim.number()),
                        () -> world.plane.claimed(vm.hostId, vm.slotId, vm.epoch, claim.job)));
    }

    /** What GitLab never hands to an agent that keeps the rules: the control plane must not rely on that. */
    private Stream<Step> wrongReports(SimulatedVm vm) {
        return world.jobs.stream()
                .filter(job -> isGone(vm) || isOfAnotherSize(vm, job) || isAgainstAClaim(vm, job))
                .map(job -> Step.of(
                        "an agent at fault reports job %d for %s".formatted(job.number(), vm.slotId),
                        () -> assertThat(world.plane.claimed(vm.hostId, vm.slotId, vm.epoch, job.job))
                                .isNotEqualTo(Verdict.HELD)));
    }

    private Stream<Step> vmDies(SimulatedVm vm) {
        return vm.state != State.UP
                ? Stream.of()
                : Stream.of(Step.of("the VM of %s dies".formatted(vm.slotId), () -> {
                    vm.state = State.DEAD;
                    world.broke = true;
                }));
    }

    private boolean isGone(SimulatedVm vm) {
        return world.slot(vm).isEmpty();
    }

    private static boolean isOfAnotherSize(SimulatedVm vm, SimulatedJob job) {
        return job.isOurs() && !vm.size.equals(job.job.size());
    }

    /** The slot holds the claim of another job, or the job was claimed by another slot. */
    private boolean isAgainstAClaim(SimulatedVm vm, SimulatedJob job) {
        return world.plane.now().live().stream()
                .filter(slot -> slot.claimedBy() != null)
                .anyMatch(
                        slot -> slot.slotId().equals(vm.slotId) != job.job.key().equals(slot.claimedBy()));
    }

    private Step agentCrashes(String host) {
        return Step.of("the agent of %s crashes and restarts".formatted(host), () -> {
            hostSteps.crash(host);
            world.broke = true;
        });
    }

    private Step isSilent(String host) {
        return Step.of("%s is silent".formatted(host), () -> silence(host));
    }

    private Step isMadeAnew(String host) {
        return Step.of("%s was made anew".formatted(host), () -> {
            world.plane.loseByNewAgent(host);
            hostSteps.isLost(host);
            world.broke = true;
        });
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
