package dev.mayfly.api.sweep;

import dev.mayfly.activities.capacity.HostState;
import dev.mayfly.activities.capacity.HostView;
import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.capacity.RunnerView;
import dev.mayfly.activities.capacity.SlotView;
import dev.mayfly.activities.capacity.Slots;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.JobFacts;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import dev.mayfly.workflows.job.JobKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A job that GitLab shows at one of our runners while no host has it in hand: its 201 was lost with a host or an agent.
 * Nobody would ever end it, so it is ended through GitLab's API.
 */
final class JobsWithoutVm implements Rule {

    private static final Duration PROJECTS_OF = Duration.ofDays(2);

    private final Slots slots;
    private final Hosts hosts;
    private final Jobs jobs;
    private final GitLabJobs gitlab;

    JobsWithoutVm(Slots slots, Hosts hosts, Jobs jobs, GitLabJobs gitlab) {
        this.slots = slots;
        this.hosts = hosts;
        this.jobs = jobs;
        this.gitlab = gitlab;
    }

    @Override
    public List<Orphan> find() {
        Map<Long, RunnerView> ours = new HashMap<>();
        slots.runners().forEach(runner -> ours.put(runner.runnerId(), runner));
        Map<String, SlotView> live = new HashMap<>();
        slots.live().forEach(slot -> live.put(slot.slotId(), slot));
        Map<String, HostView> fleet = new HashMap<>();
        hosts.list().forEach(host -> fleet.put(host.hostId(), host));
        List<Orphan> orphans = new ArrayList<>();
        for (Jobs.Project project : jobs.activeProjects(PROJECTS_OF)) {
            for (JobFacts job : gitlab.activeJobs(project.instance(), project.projectId())) {
                RunnerView runner = job.runnerId() == null ? null : ours.get(job.runnerId());
                if (runner != null && runner.instance().equals(project.instance())) {
                    SlotView slot = live.get(runner.slotId());
                    HostView host = slot == null ? null : fleet.get(slot.hostId());
                    if (!mayBeInHand(job.key(), slot, host)) {
                        orphans.add(orphan(job.key(), runner.slotId(), slot));
                    }
                }
            }
        }
        return orphans;
    }

    /** A host that doesn't renew just now may still have it; only one that renews without it, or is LOST, has not. */
    private static boolean mayBeInHand(JobKey job, @Nullable SlotView slot, @Nullable HostView host) {
        if (slot == null || host == null || slot.lost() || host.state() == HostState.LOST) {
            return false;
        }
        return host.state() == HostState.SUSPECT
                || host.inventory().stream().anyMatch(report -> isInHand(report, slot, job));
    }

    private static boolean isInHand(SlotReport report, SlotView slot, JobKey job) {
        return report.slotId().equals(slot.slotId()) && Objects.equals(report.claimedJobId(), job.jobId());
    }

    private Orphan orphan(JobKey job, String slotId, @Nullable SlotView slot) {
        boolean tokenIsKnown = slot != null && job.equals(slot.claimedBy());
        return new Orphan(
                "claim %s %s".formatted(slotId, job),
                "{}: GitLab shows it at the runner of slot {}, and no host has it in hand; ending it",
                List.of(job, slotId),
                Instant.EPOCH,
                true,
                () -> {
                    if (tokenIsKnown) {
                        gitlab.failLostJob(job, "its VM is gone");
                    } else {
                        gitlab.cancelJob(job);
                    }
                });
    }
}
