package dev.mayfly.agent.relay;

import java.time.Duration;

/**
 * Limits that keep one guest from harming the others.
 *
 * @param connectionsPerVm how many connections a VM may have open; more are closed at once. A runner has three at
 *     most; what each may hold on to is taken from all others
 * @param requestTimeout how long a guest may take to send a request's head
 * @param idleTimeout how long an exchange may stand still: GitLab may take minutes to store an artifact
 * @param lingerTimeout how long the rest of a request is read and dropped after it was answered
 */
public record RelaySettings(
        int connectionsPerVm, Duration requestTimeout, Duration idleTimeout, Duration lingerTimeout) {

    /** What production uses. */
    public static RelaySettings standard() {
        return new RelaySettings(16, Duration.ofSeconds(60), Duration.ofMinutes(15), Duration.ofSeconds(60));
    }
}
