package dev.mayfly.workflows.agentapi;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.Executor;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Paths and bodies of {@code /agent/v1}. Every call carries {@code Authorization: Bearer <host credential>}; the host is
 * known by its credential and must match the {@code hostId} it names. 401: unknown credential. 403: the credential is of
 * another host. 409 with {@code application/problem+json}: the epoch is old or the slot is released. 425 (Too Early):
 * what was asked for does not exist yet, ask again. Answers are sent after commit. Unknown JSON fields are ignored on
 * both sides.
 */
public final class AgentApi {

    /** {@code POST}, {@link LeaseRequest} → 200 {@link LeaseReply}. */
    public static final String LEASE = "/agent/v1/lease";
    /** {@code POST}, {@link RunnerTokenRequest} → 200 {@link RunnerTokenReply}; 425 while no runner is registered. */
    public static final String RUNNER_TOKEN = "/agent/v1/runner-token";
    /** {@code POST}, {@link ClaimReport} → 200 {@link ClaimReply}. */
    public static final String CLAIMS = "/agent/v1/claims";

    private AgentApi() {}

    /**
     * Renews the host's lease, registers the host at its first call, and carries its whole inventory.
     *
     * @param capacity what this host offers in all, not what is free
     * @param arch the host's architecture; another than {@link Arch} knows is a bad request
     * @param driver {@code qemu} or {@code simulated}
     * @param epoch the epoch the agent knows, 0 at its very first call
     * @param inventory every slot that has anything on this host: VM, claim, files; no tombstones
     * @param destroyed what was destroyed since the last renewal that was answered with this epoch, for the ledger: a VM
     *     may come and go between two renewals. The same slot may be told of again; empty from agents that tell nothing
     * @param image digest of the guest image that VMs are started from; null if the driver has none
     * @param bootId of the host's kernel; null from agents that don't tell
     * @param sentAt by the host's clock; null from agents that don't tell
     * @param labels the host's labels by its agent.yml; null from agents that don't tell
     * @param figures what the agent measures; null from agents that don't tell
     */
    public record LeaseRequest(
            String hostId,
            String agentVersion,
            Capacity capacity,
            Arch arch,
            String driver,
            long epoch,
            List<SlotReport> inventory,
            @Nullable List<DestroyedSlot> destroyed,
            @Nullable String image,
            @Nullable String bootId,
            @Nullable Instant sentAt,
            @Nullable List<String> labels,
            @Nullable HostFigures figures) {

        public LeaseRequest {
            inventory = List.copyOf(inventory);
            destroyed = destroyed == null ? List.of() : List.copyOf(destroyed);
            labels = labels == null ? List.of() : List.copyOf(labels);
        }

        /** Never null. */
        @Override
        public List<DestroyedSlot> destroyed() {
            return destroyed == null ? List.of() : destroyed;
        }

        /** Never null. */
        @Override
        public List<String> labels() {
            return labels == null ? List.of() : labels;
        }
    }

    /**
     * What an agent measures, for monitoring alone: nothing is decided by it.
     *
     * @param loadAverage the machine's, over the last minute
     * @param memoryAvailableBytes what the kernel could give to new processes
     * @param diskFreeBytes where VMs' disks are
     * @param vmStarts since the agent started, those that failed among them
     * @param vmStartsFailed since then: VMs that could not be started
     * @param vmsAnswered since then: VMs whose guest was ready for a job
     * @param vmAnswerSeconds from start to ready, of all that were, in sum
     */
    public record HostFigures(
            double loadAverage,
            long memoryAvailableBytes,
            long diskFreeBytes,
            long vmStarts,
            long vmStartsFailed,
            long vmsAnswered,
            double vmAnswerSeconds) {

        public HostFigures {
            if (!(loadAverage >= 0
                    && memoryAvailableBytes >= 0
                    && diskFreeBytes >= 0
                    && vmStarts >= 0
                    && vmStartsFailed >= 0
                    && vmsAnswered >= 0
                    && vmAnswerSeconds >= 0)) {
                throw new IllegalArgumentException("figures must be 0 or more");
            }
        }
    }

    public record Capacity(int milliCpus, int memoryMib, int diskMib) {}

    /**
     * @param state the slot's state on the host, in words for people: {@code launching, ready, polling, claimed, running,
     *     ended, dead, destroying}
     * @param claimedJobId the job this slot's broker has in hand, null if none
     */
    public record SlotReport(
            String slotId,
            long epoch,
            String state,
            int bootNumber,
            @Nullable Long claimedJobId) {}

    /** @param bootNumber how many VMs were started for it, 0 for none */
    public record DestroyedSlot(String slotId, int bootNumber) {}

    /**
     * @param installation the installation's id, five characters {@code [a-z0-9]}; prefixes every slot id
     * @param epoch the host's epoch; an agent that learns a newer one destroys everything older before it goes on
     * @param renewEvery how often to renew
     * @param fenceAfter an agent that could not renew for so long kills its unclaimed VMs
     * @param reboot the host is empty, takes no VMs, and is to reboot now
     * @param instances the GitLab instances whose jobs may come here
     */
    public record LeaseReply(
            String installation,
            long epoch,
            Duration renewEvery,
            Duration fenceAfter,
            boolean reboot,
            List<GitLabInstance> instances) {

        public LeaseReply {
            instances = List.copyOf(instances);
        }
    }

    /**
     * @param name configured short name
     * @param url base URL, without {@code /api/v4}
     * @param caPem the instance's private CA certificates as PEM, null if a public CA signs it
     * @param allow more {@code host:port} that guests may reach though they are on private addresses: registry, object
     *     store
     */
    public record GitLabInstance(
            String name, String url, @Nullable String caPem, List<String> allow) {

        public GitLabInstance {
            allow = List.copyOf(allow);
        }
    }

    /**
     * Fetches a slot's runner token, once. The first {@code nonce} binds it: a repetition with the same nonce gets the
     * same answer (a lost reply loses nothing), another nonce gets 409.
     *
     * @param nonce 32 hex characters, kept by the agent before the call
     */
    public record RunnerTokenRequest(String hostId, String slotId, long epoch, String nonce) {}

    /** @param token GitLab's runner authentication token, opaque. A secret: memory and tmpfs only */
    public record RunnerTokenReply(long runnerId, String token, String instance) {

        @Override
        public String toString() {
            return "RunnerTokenReply[runnerId=%d, token=[redacted], instance=%s]".formatted(runnerId, instance);
        }
    }

    /**
     * GitLab handed this slot a job. Repeated until answered; the same report gets the same answer.
     *
     * @param jobToken the job's own token, sealed by the control plane: with it, it can speak for the job if the host is
     *     lost
     */
    public record ClaimReport(String hostId, String slotId, long epoch, long projectId, long jobId, String jobToken) {

        @Override
        public String toString() {
            return "ClaimReport[hostId=%s, slotId=%s, epoch=%d, projectId=%d, jobId=%d, jobToken=[redacted]]"
                    .formatted(hostId, slotId, epoch, projectId, jobId);
        }
    }

    /**
     * @param executor what the claimed job's tags ask for; null unless HELD
     * @param reason one sentence for people
     * @param memoryAdvice how the job gets more memory if it runs out of it, as the end of a sentence for its author;
     *     null if its size is unknown
     */
    public record ClaimReply(
            Verdict verdict,
            @Nullable Executor executor,
            String reason,
            @Nullable String memoryAdvice) {

        public ClaimReply(Verdict verdict, @Nullable Executor executor, String reason) {
            this(verdict, executor, reason, null);
        }

        public ClaimReply withMemoryAdvice(String advice) {
            return new ClaimReply(verdict, executor, reason, advice);
        }
    }

    /** What became of a claim. */
    public enum Verdict {
        /** The claimed job holds this slot from now on: wait for its workflow's run call. */
        @JsonProperty("held")
        HELD,
        /** The job has left: fail it towards GitLab, erase the claim, poll on for the slot's holder. */
        @JsonProperty("void")
        VOID,
        /** The slot or its epoch is gone: fail the job towards GitLab and poll no more. */
        @JsonProperty("refused")
        REFUSED
    }
}
