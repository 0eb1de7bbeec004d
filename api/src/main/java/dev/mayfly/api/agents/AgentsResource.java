package dev.mayfly.api.agents;

import dev.mayfly.activities.capacity.ClaimOutcome;
import dev.mayfly.activities.capacity.ClaimedJob;
import dev.mayfly.activities.capacity.PostgresCapacity;
import dev.mayfly.activities.capacity.TwoMachinesException;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.activities.gitlab.TokenRefusedException;
import dev.mayfly.api.rest.Problem;
import dev.mayfly.api.start.JobIntake;
import dev.mayfly.workflows.agentapi.AgentApi;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.agentapi.AgentApi.DestroyedSlot;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenRequest;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.HostLabels;
import dev.mayfly.workflows.job.JobKey;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agents' calls, as {@link AgentApi} describes them. Everything is answered after commit, and every call may be
 * repeated: the agent asks again until it is answered.
 */
@Path("/")
@HostCall
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
public final class AgentsResource {

    private static final Logger LOG = LoggerFactory.getLogger(AgentsResource.class);
    private static final int TOO_EARLY = 425;
    /** The ledger has an entry for each; no slot is ever started so often. */
    private static final int MOST_BOOTS = 1000;

    private final LeaseDesk leases;
    private final PostgresCapacity capacity;
    private final GitLabJobs gitlab;
    private final GitLabs instances;
    private final JobIntake intake;
    private final Runnable claimed;

    /**
     * Made by the wiring.
     *
     * @param claimed called after a claim was recorded: signals are waiting in the outbox
     */
    public AgentsResource(
            LeaseDesk leases,
            PostgresCapacity capacity,
            GitLabJobs gitlab,
            GitLabs instances,
            JobIntake intake,
            Runnable claimed) {
        this.leases = leases;
        this.capacity = capacity;
        this.gitlab = gitlab;
        this.instances = instances;
        this.intake = intake;
        this.claimed = claimed;
    }

    /** Renews a host's lease. */
    @POST
    @Path(AgentApi.LEASE)
    public LeaseReply lease(@Nullable LeaseRequest body) {
        LeaseRequest request = checked(required(body));
        try {
            return leases.renew(request);
        } catch (TwoMachinesException e) {
            LOG.warn("host {}: no lease: {}", request.hostId(), e.getMessage());
            throw Problem.exception(409, String.valueOf(e.getMessage()));
        }
    }

    /** Hands out a slot's runner token. */
    @POST
    @Path(AgentApi.RUNNER_TOKEN)
    public RunnerTokenReply runnerToken(@Context ContainerRequestContext caller, @Nullable RunnerTokenRequest body) {
        RunnerTokenRequest request = required(body);
        String host = HostFilter.host(caller);
        require(request.slotId() != null && request.nonce() != null, "slotId and nonce");
        try {
            return gitlab.runnerToken(host, request)
                    .orElseThrow(() -> Problem.exception(
                            TOO_EARLY, "slot %s has no runner yet; ask again".formatted(request.slotId())));
        } catch (TokenRefusedException e) {
            LOG.info("host {}: no runner token for slot {}: {}", host, request.slotId(), e.getMessage());
            throw Problem.exception(409, String.valueOf(e.getMessage()));
        }
    }

    /** Records that GitLab handed a slot a job. */
    @POST
    @Path(AgentApi.CLAIMS)
    public ClaimReply claim(@Context ContainerRequestContext caller, @Nullable ClaimReport body) {
        ClaimReport report = required(body);
        String host = HostFilter.host(caller);
        require(
                report.slotId() != null && report.jobToken() != null && report.projectId() > 0 && report.jobId() > 0,
                "slotId, projectId, jobId and jobToken");
        for (String instance : instancesOf(report.slotId())) {
            Optional<ClaimedJob> job = intake.claimed(new JobKey(instance, report.projectId(), report.jobId()));
            if (job.isPresent()) {
                ClaimOutcome outcome = capacity.claimed(host, report, job.get());
                claimed.run();
                LOG.info(
                        "host {}: slot {} claimed {}: {}",
                        host,
                        report.slotId(),
                        job.get().job().key(),
                        outcome.story());
                ClaimReply reply = outcome.reply();
                return intake.memoryAdvice(job.get().job())
                        .map(reply::withMemoryAdvice)
                        .orElse(reply);
            }
        }
        LOG.warn("host {}: slot {} claimed number {} that GitLab doesn't know", host, report.slotId(), report.jobId());
        return new ClaimReply(Verdict.VOID, null, "GitLab doesn't know job %d any more".formatted(report.jobId()));
    }

    private List<String> instancesOf(String slotId) {
        return leases.instanceOf(slotId)
                .map(List::of)
                .orElseGet(() -> instances.instances().stream()
                        .map(instance -> instance.name())
                        .toList());
    }

    private static <T> T required(@Nullable T body) {
        if (body == null) {
            throw Problem.exception(400, "the request has no body");
        }
        return body;
    }

    private static LeaseRequest checked(LeaseRequest request) {
        Capacity capacity = request.capacity();
        require(
                request.agentVersion() != null && request.arch() != null && request.driver() != null,
                "agentVersion, arch and driver");
        require(
                capacity != null && capacity.milliCpus() > 0 && capacity.memoryMib() > 0 && capacity.diskMib() >= 0,
                "a capacity above nothing");
        require(
                request.epoch() >= 0
                        && request.inventory().stream().allMatch(slot -> slot.slotId() != null && slot.state() != null),
                "an epoch and an inventory of slots with slotId and state");
        require(
                Stream.concat(
                                request.inventory().stream().map(SlotReport::bootNumber),
                                request.destroyed().stream().map(DestroyedSlot::bootNumber))
                        .allMatch(boots -> boots >= 0 && boots <= MOST_BOOTS),
                "boot numbers from 0 to " + MOST_BOOTS);
        require(
                request.labels().stream().allMatch(HostLabels::isLabel),
                "labels of 1 to 63 letters, digits, '.', '_' and '-' each");
        return request;
    }

    private static void require(boolean given, String what) {
        if (!given) {
            throw Problem.exception(400, "the request must give " + what);
        }
    }
}
