package dev.mayfly.api.agents;

import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.capacity.LeaseTimes;
import dev.mayfly.activities.capacity.RunnerView;
import dev.mayfly.activities.capacity.Slots;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import java.util.List;
import java.util.Optional;

/** Renews leases and tells hosts what they need to know of the installation. */
public final class LeaseDesk {

    private final Hosts hosts;
    private final Slots slots;
    private final LeaseTimes times;
    private final String installation;
    private final List<GitLabInstance> instances;

    public LeaseDesk(Hosts hosts, Slots slots, LeaseTimes times, String installation, GitLabs gitlabs) {
        this.hosts = hosts;
        this.slots = slots;
        this.times = times;
        this.installation = installation;
        this.instances = gitlabs.instances().stream()
                .map(instance ->
                        new GitLabInstance(instance.name(), instance.url(), instance.caPem(), instance.allow()))
                .toList();
    }

    LeaseReply renew(LeaseRequest request) {
        Hosts.Lease lease = hosts.lease(request);
        return new LeaseReply(
                installation, lease.epoch(), times.renewEvery(), times.fenceAfter(), lease.reboot(), instances);
    }

    /** The GitLab instance that the slot's runner is at. */
    Optional<String> instanceOf(String slotId) {
        return slots.runners().stream()
                .filter(runner -> runner.slotId().equals(slotId))
                .map(RunnerView::instance)
                .findFirst();
    }
}
