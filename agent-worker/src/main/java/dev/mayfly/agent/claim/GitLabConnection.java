package dev.mayfly.agent.claim;

import dev.mayfly.agent.relay.Upstream;

/**
 * The two ways to one GitLab instance: the broker's own calls, and what the relay passes on.
 *
 * @param api the broker's own calls
 * @param upstream where the relay passes a guest's requests on to
 */
record GitLabConnection(GitLabRunnerApi api, Upstream upstream) {}
