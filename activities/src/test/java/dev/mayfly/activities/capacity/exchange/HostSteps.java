package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.exchange.SimulatedJob.InGitLab;
import dev.mayfly.activities.capacity.exchange.SimulatedJob.Workflow;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.Payload;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.Poll;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.State;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** What GitLab and the agents may do next. */
final class HostSteps {

    private final World world;
    /** What the last dispatcher pass left behind: another one would find nothing new to do. */
    private List<String> passed = List.of();

    HostSteps(World world) {
        this.world = world;
    }

    List<Step> next(SimulatedVm vm) {
        List<Step> steps = new ArrayList<>();
        handsOut(vm, steps);
        SimulatedJob answer = vm.answer;
        if (answer != null) {
            steps.add(Step.of("%s stores the 201 of job %d".formatted(vm.slotId, answer.number()), () -> {
                vm.answer = null;
                vm.claim = answer;
                vm.reported = false;
                vm.payload = Payload.KEPT;
                vm.poll = vm.poll == Poll.ENDED ? Poll.ENDED : Poll.OFF;
            }));
        }
        SimulatedJob claim = vm.claim;
        if (claim != null && !vm.reported) {
            steps.add(Step.transaction(
                    "%s reports its claim of job %d".formatted(vm.slotId, claim.number()), () -> report(vm, claim)));
        }
        if (claim != null && claim.at == vm) {
            serves(vm, claim, steps);
        }
        if (vm.destroy != null && vm.poll == Poll.ENDED) {
            destroys(vm, steps);
        }
        return steps;
    }

    /** The job with the lowest id whose tags the runner carries. */
    private void handsOut(SimulatedVm vm, List<Step> steps) {
        List<String> tags = vm.runnerTags;
        if (vm.poll == Poll.ON && vm.claim == null && vm.answer == null && tags != null && vm.state != State.NONE) {
            world.jobs.stream()
                    .filter(job -> job.status == InGitLab.PENDING && tags.containsAll(job.job.tags()))
                    .findFirst()
                    .ifPresent(job ->
                            steps.add(Step.of("GitLab hands %s job %d".formatted(vm.slotId, job.number()), () -> {
                                job.status = InGitLab.CLAIMED;
                                job.at = vm;
                                vm.answer = job;
                            })));
        }
    }

    private void report(SimulatedVm vm, SimulatedJob job) {
        Verdict verdict = world.plane.claimed(vm.hostId, vm.slotId, vm.epoch, job.job);
        boolean isHeld = world.slot(vm)
                .filter(slot -> job.job.key().equals(slot.claimedBy()))
                .isPresent();
        // start-first: what starts the workflow is in the outbox from the commit on, whoever hears the answer
        job.startDue =
                job.startDue || (isHeld && (job.workflow == Workflow.NONE || job.workflow == Workflow.TERMINATED));
        if (verdict == null) {
            return; // nobody heard the answer: reported again
        }
        if (verdict == Verdict.HELD) {
            vm.reported = true;
            return;
        }
        job.fail();
        vm.claim = null;
        vm.poll = verdict == Verdict.REFUSED || vm.poll == Poll.ENDED ? Poll.ENDED : Poll.ON;
    }

    private void serves(SimulatedVm vm, SimulatedJob job, List<Step> steps) {
        boolean asked = job.workflow == Workflow.LIVES && job.view == vm && vm.reported;
        boolean commits = vm.state == State.UP && job.status == InGitLab.CLAIMED && asked;
        if (commits) {
            steps.add(Step.of(
                    "%s commits job %d".formatted(vm.slotId, job.number()), () -> job.status = InGitLab.RUNNING));
        }
        if (job.status != InGitLab.RUNNING) {
            return;
        }
        if (vm.state == State.DEAD && vm.payload != Payload.KEPT) {
            steps.add(Step.of("%s fails job %d for its dead VM".formatted(vm.slotId, job.number()), job::fail));
        } else if (vm.state == State.UP && vm.payload == Payload.KEPT) {
            steps.add(
                    Step.of("%s journals that it serves".formatted(vm.slotId), () -> vm.payload = Payload.JOURNALLED));
        } else if (vm.state == State.UP && vm.payload == Payload.JOURNALLED) {
            steps.add(Step.of("%s serves job %d".formatted(vm.slotId, job.number()), () -> world.deliver(vm, job)));
        } else if (vm.state == State.UP && vm.payload == Payload.DELIVERED) {
            steps.add(Step.of("job %d ends by itself".formatted(job.number()), () -> {
                vm.payload = Payload.RUN;
                job.end(InGitLab.SUCCESS);
            }));
        }
    }

    private void destroys(SimulatedVm vm, List<Step> steps) {
        boolean unsettled = vm.answer != null || (vm.claim != null && !vm.reported);
        if (unsettled) {
            return;
        }
        Long known = Objects.requireNonNull(vm.destroy).knownClaim();
        boolean other = vm.claim != null && !Long.valueOf(vm.claim.number()).equals(known);
        if (other) {
            steps.add(Step.of("destroy(%s) answers: reassigned".formatted(vm.slotId), () -> vm.destroy = null));
        } else {
            steps.add(Step.of("%s is destroyed".formatted(vm.slotId), () -> world.destroyed(vm)));
        }
    }

    /** A LOST host learns its new epoch, destroys everything older and comes back; a silent one talks again. */
    List<Step> hosts() {
        List<Step> steps = new ArrayList<>();
        for (String host : world.lostHosts) {
            steps.add(Step.of("%s is fenced and comes back".formatted(host), () -> {
                world.vms.values().stream()
                        .filter(vm -> vm.hostId.equals(host) && world.isOld(vm))
                        .forEach(vm -> {
                            world.remove(vm);
                            vm.poll = Poll.OFF;
                        });
                world.plane.renew(host);
                world.lostHosts.remove(host);
            }));
        }
        for (String host : world.silentHosts) {
            steps.add(Step.of("%s renews again".formatted(host), () -> {
                world.plane.renew(host);
                world.silentHosts.remove(host);
            }));
        }
        List<String> now = world.plane.now().lines();
        boolean waits = now.stream().anyMatch(line -> line.startsWith("queue"));
        if (waits && !now.equals(passed)) {
            steps.add(Step.transaction("a dispatcher pass", () -> {
                if (world.plane.dispatch()) {
                    passed = world.plane.now().lines();
                }
            }));
        }
        return steps;
    }

    /** Everything of a slot that the host loses track of in a crash; what is stored stays. */
    void crash(String host) {
        for (SimulatedVm vm : world.vms.values()) {
            if (vm.hostId.equals(host) && !world.isOld(vm)) {
                vm.answer = null;
                vm.reported = false;
                vm.poll = vm.destroy != null || vm.poll == Poll.ON ? Poll.OFF : vm.poll;
                vm.destroy = null;
            }
        }
    }

    /** After PostgreSQL has made it LOST. */
    void isLost(String host) {
        world.lostHosts.add(host);
        world.silentHosts.remove(host);
    }
}
