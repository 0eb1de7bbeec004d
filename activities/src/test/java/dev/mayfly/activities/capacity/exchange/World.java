package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.SlotView;
import dev.mayfly.activities.capacity.exchange.SimulatedJob.Workflow;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.Payload;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.Poll;
import dev.mayfly.activities.capacity.exchange.SimulatedVm.State;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.VmSize;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * GitLab, hosts and workflows around the control plane under test: what each may do by the design's rules, and what must
 * hold for jobs and VMs whatever happens.
 */
final class World {

    /** Of the first host. */
    static final List<String> LABELS = List.of("x");

    final Plane plane;
    final boolean twoPhase;
    final List<SimulatedJob> jobs;
    final Map<String, Integer> room = new LinkedHashMap<>();
    final Set<String> lostHosts = new HashSet<>();
    final Set<String> silentHosts = new HashSet<>();
    final Map<String, SimulatedVm> vms = new LinkedHashMap<>();
    /** Calls that were sent and arrive at any later time. */
    final List<Step> late = new ArrayList<>();
    /** Something happened that excuses a failed job. */
    boolean broke;

    private int made;
    private int removed;

    World(Plane plane, List<CiJob> jobs, List<Integer> rooms, boolean twoPhase) {
        this.plane = plane;
        this.jobs = jobs.stream().map(SimulatedJob::new).toList();
        this.twoPhase = twoPhase;
        for (int i = 0; i < rooms.size(); i++) {
            String host = "host-" + (i + 1);
            room.put(host, rooms.get(i));
            plane.newHost(host, rooms.get(i), i == 0 ? LABELS : List.of());
        }
    }

    // ---- who is who

    SimulatedJob job(JobKey key) {
        return jobs.stream()
                .filter(job -> job.job.key().equals(key))
                .findFirst()
                .orElseThrow();
    }

    SimulatedVm vm(SlotView slot) {
        return vms.computeIfAbsent(slot.slotId(), id -> new SimulatedVm(id, slot.hostId(), slot.epoch(), slot.size()));
    }

    Optional<SlotView> slot(SimulatedVm vm) {
        return plane.slot(vm.slotId);
    }

    @Nullable
    SimulatedVm usedBy(SimulatedJob job) {
        return plane.now().heldBy(job.number()).map(this::vm).orElse(null);
    }

    boolean isOld(SimulatedVm vm) {
        return plane.host(vm.hostId).epoch != vm.epoch;
    }

    /** The slots that this job, or the sweeper if it is null, answers for and has no use for. */
    List<SlotView> toDismantle(@Nullable SimulatedJob owner) {
        return plane.now().live().stream()
                .filter(slot -> slot.holder() == null)
                .filter(slot ->
                        owner == null ? slot.owner() == null : owner.job.key().equals(slot.owner()))
                .toList();
    }

    // ---- calls to a host and to GitLab, now or late

    void launch(SimulatedVm vm) {
        boolean served = vm.claim != null && vm.payload != Payload.KEPT;
        if (!vm.tombstone && !isOld(vm) && !lostHosts.contains(vm.hostId) && !served && vm.state != State.UP) {
            removed += vm.state == State.DEAD ? 1 : 0;
            made++;
            vm.state = State.UP;
            vm.ran = null;
        }
    }

    /** Whether the slot's runner may be given tags, as the control plane decides before it asks GitLab. */
    boolean mayTag(SimulatedVm vm) {
        return slot(vm).filter(slot -> slot.claimedBy() == null).isPresent();
    }

    void poll(SimulatedVm vm) {
        if (vm.state == State.UP && vm.poll == Poll.OFF && vm.claim == null && !vm.tombstone && !isOld(vm)) {
            vm.poll = Poll.ON;
        }
    }

    void destroy(SimulatedVm vm, String caller, @Nullable Long knownClaim) {
        if (vm.destroy == null && !vm.tombstone && !isOld(vm)) {
            vm.destroy = new SimulatedVm.Destroy(caller, knownClaim);
            vm.poll = Poll.ENDED;
        }
    }

    void deliver(SimulatedVm vm, SimulatedJob job) {
        require(job.served == 0, () -> "the payload of job %d reaches a second VM".formatted(job.number()));
        require(vm.ran == null, () -> "the VM of %s serves a second job".formatted(vm.slotId));
        VmSize size = job.job.size();
        require(size == null || size.equals(vm.size), () -> "job %d runs in the wrong size".formatted(job.number()));
        require(
                plane.host(vm.hostId).labels.containsAll(job.job.labels()),
                () -> "job %d runs on a host without its labels".formatted(job.number()));
        job.served++;
        vm.payload = Payload.DELIVERED;
        vm.ran = job;
    }

    void destroyed(SimulatedVm vm) {
        boolean swept = vm.destroy != null && vm.destroy.caller().equals(ModelCapacity.SWEEPER);
        SimulatedJob claim = vm.claim;
        if (claim != null) {
            require(
                    claim.status.hasEnded() || swept,
                    () -> "the VM of %s is destroyed under job %d".formatted(vm.slotId, claim.number()));
            claim.fail();
        }
        require(
                slot(vm).filter(slot -> slot.holder() != null).isEmpty(),
                () -> "%s is destroyed while a job holds it".formatted(vm.slotId));
        remove(vm);
        vm.tombstone = true;
        vm.poll = Poll.OFF;
    }

    void remove(SimulatedVm vm) {
        removed += vm.state == State.NONE ? 0 : 1;
        vm.erase();
    }

    // ---- what must hold

    /** In every state. */
    void check() {
        Map<String, Integer> used = new HashMap<>();
        for (SimulatedVm vm : vms.values()) {
            if (vm.state != State.NONE && !isOld(vm)) {
                used.merge(vm.hostId, vm.size.milliCpus() / 2000, Integer::sum);
            }
            SimulatedJob claim = vm.claim;
            require(
                    !vm.reported || claim == null || claim.status.hasEnded() || vm.runnerTags != null || isOld(vm),
                    () -> "the runner of %s was removed under the live claim of job %s".formatted(vm.slotId, claim));
        }
        used.forEach((host, vms) -> require(
                vms <= Objects.requireNonNull(room.get(host)),
                () -> "%s holds VMs of %d units, more than its room".formatted(host, vms)));
        for (SimulatedJob job : jobs) {
            require(
                    broke || job.status != SimulatedJob.InGitLab.FAILED,
                    () -> "%s was failed though nothing broke".formatted(job));
        }
        for (SlotView slot : plane.now().live()) {
            require(
                    slot.holder() == null || Objects.equals(slot.holder(), slot.owner()),
                    () -> "%s is held by one job and owned by another".formatted(slot));
        }
    }

    /** Whether nothing is left to do. */
    boolean isOver() {
        return plane.now().live().isEmpty()
                && jobs.stream()
                        .allMatch(job -> !job.workflow.isRunning()
                                && (job.status.hasEnded()
                                        || (!job.isOurs() && job.status == SimulatedJob.InGitLab.PENDING)))
                && vms.values().stream().allMatch(vm -> vm.state == State.NONE && vm.runnerTags == null);
    }

    /** At the end. */
    void checkEnd() {
        require(isOver(), () -> "no way to a good end");
        plane.checkLedger();
        require(made == removed, () -> "%d VMs were made and %d removed".formatted(made, removed));
        plane.model
                .hosts
                .values()
                .forEach(host -> require(host.used == 0, () -> "%s is not free at the end".formatted(host.id)));
        for (SimulatedJob job : jobs) {
            require(
                    job.status != SimulatedJob.InGitLab.SUCCESS || job.served == 1,
                    () -> "%s succeeded, served %d times".formatted(job, job.served));
            require(
                    job.workflow == Workflow.DONE || job.status.hasEnded() || !job.isOurs(),
                    () -> "%s starved".formatted(job));
        }
    }

    private static void require(boolean holds, Supplier<String> otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise.get());
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        jobs.forEach(job -> text.append("\n  ").append(job));
        vms.values().forEach(vm -> text.append("\n  ").append(vm));
        plane.now().lines().forEach(line -> text.append("\n  ").append(line));
        late.forEach(step -> text.append("\n  late: ").append(step.words()));
        return text.toString();
    }
}
