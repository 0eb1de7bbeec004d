package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;

/**
 * What became of a claim.
 *
 * @param reply the answer to the agent
 * @param story one line for the log: which slot and job went where
 */
public record ClaimOutcome(ClaimReply reply, String story) {}
