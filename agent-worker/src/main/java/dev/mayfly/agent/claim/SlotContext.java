package dev.mayfly.agent.claim;

import dev.mayfly.workflows.job.JobKey;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;

/** What the parts of one slot's broker share. The VM is that of the slot's latest boot. */
final class SlotContext {

    private final Shared shared;
    private final ClaimStore store;
    private volatile ClaimSlot vm;

    SlotContext(Shared shared, ClaimSlot vm) {
        this.shared = shared;
        this.store = new ClaimStore(vm.secretDirectory());
        this.vm = vm;
    }

    /**
     * What all slots of the agent share.
     *
     * @param events the one thread on which every slot's state changes; nothing on it blocks
     * @param blocking for what waits for a disk or a name server
     */
    record Shared(
            ClaimSettings settings,
            ControlPlaneCalls controlPlane,
            Clock clock,
            ScheduledExecutorService events,
            ExecutorService blocking,
            Repeater repeater,
            GitLabConnections connections) {}

    String id() {
        return vm.slotId();
    }

    /** A job that GitLab handed to this slot, as the control plane calls it. */
    JobKey keyOf(ClaimedJob job) {
        return new JobKey(vm.instance(), job.projectId(), job.id());
    }

    ClaimSlot vm() {
        return vm;
    }

    void newBoot(ClaimSlot next) {
        vm = next;
    }

    ClaimStore store() {
        return store;
    }

    ClaimSettings settings() {
        return shared.settings();
    }

    ControlPlaneCalls controlPlane() {
        return shared.controlPlane();
    }

    Clock clock() {
        return shared.clock();
    }

    ScheduledExecutorService events() {
        return shared.events();
    }

    ExecutorService blocking() {
        return shared.blocking();
    }

    Repeater repeater() {
        return shared.repeater();
    }

    /** This slot's GitLab; fails while nobody has named its address yet. */
    CompletableFuture<GitLabConnection> gitlab() {
        return shared.connections().of(vm.instance(), store);
    }
}
