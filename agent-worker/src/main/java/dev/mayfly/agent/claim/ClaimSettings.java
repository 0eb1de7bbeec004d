package dev.mayfly.agent.claim;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * Times of the claim broker and the relay's address; tests shorten them.
 *
 * @param relay where the relay listens; guests are let in by the host's firewall, and known by their peer address
 * @param pollEvery pause between two requests of a slot for a job; GitLab counts these against its rate limits
 * @param keepAliveEvery pause between two touches of a claim that isn't committed yet; GitLab lets it lapse after 2 min
 * @param keepAliveAtMost how long a claim is kept alive while the control plane can't be reached
 * @param retryEvery first pause between two attempts at the control plane or GitLab; doubles up to ten times that
 * @param connectTimeout for connections to GitLab
 * @param readTimeout for GitLab's answers to the broker's own calls
 * @param finalUpdateGrace how long a final update may still be under way after the runner or VM is gone
 */
public record ClaimSettings(
        InetSocketAddress relay,
        Duration pollEvery,
        Duration keepAliveEvery,
        Duration keepAliveAtMost,
        Duration retryEvery,
        Duration connectTimeout,
        Duration readTimeout,
        Duration finalUpdateGrace) {

    /** What production uses. */
    public static ClaimSettings standard(InetSocketAddress relay) {
        return new ClaimSettings(
                relay,
                Duration.ofSeconds(3),
                Duration.ofSeconds(20),
                Duration.ofMinutes(3),
                Duration.ofSeconds(1),
                Duration.ofSeconds(5),
                Duration.ofSeconds(30),
                Duration.ofSeconds(5));
    }
}
