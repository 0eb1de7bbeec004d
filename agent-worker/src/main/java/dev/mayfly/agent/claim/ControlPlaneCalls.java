package dev.mayfly.agent.claim;

import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The control plane as the broker sees it. Each call is one attempt; the broker repeats. A stage fails with
 * {@link NotYet} on 425, with {@link Refused} on 409 (epoch old, slot released, other nonce), with {@link NotBelieved}
 * on 401 and 403, with anything else when the control plane can't be reached or is broken.
 */
public interface ControlPlaneCalls {

    /** @param nonce 32 hex characters, kept by the broker before the call */
    CompletionStage<RunnerTokenReply> runnerToken(String slotId, long epoch, String nonce);

    /** @param jobToken a secret */
    CompletionStage<ClaimReply> reportClaim(String slotId, long epoch, long projectId, long jobId, String jobToken);

    /** The instance as the last lease reply described it; empty while no lease was had or if it isn't configured. */
    Optional<GitLabInstance> instance(String name);

    /** 425: what was asked for does not exist yet, ask again. */
    final class NotYet extends Exception {
        private static final long serialVersionUID = 1;

        public NotYet(String message) {
            super(message);
        }
    }

    /** 401 or 403: the control plane doesn't take this host's credential. */
    final class NotBelieved extends Exception {
        private static final long serialVersionUID = 1;

        public NotBelieved(String message) {
            super(message);
        }
    }

    /** 409: the slot or its epoch is gone. */
    final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        public Refused(String message) {
            super(message);
        }
    }
}
