package dev.mayfly.testkit.gitlab;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a simulated GitLab is started.
 *
 * @param listen address and port; port 0 takes a free one
 * @param hostname the name that stands in its URLs and certificate; null: the address
 * @param data folder for repositories, logs, artifacts, {@code root-token} and {@code tls/}
 * @param plain http instead of https
 * @param twoPhase whether a claimed job waits for the runner's word (two-phase commit)
 * @param acknowledgeSeconds how long it does so
 * @param rootToken the root user's access token; null: a new one, or the one in {@code data/root-token}
 * @param trusted certificates of webhooks' receivers to trust
 */
public record SimulatedGitLabOptions(
        InetSocketAddress listen,
        @Nullable String hostname,
        Path data,
        boolean plain,
        boolean twoPhase,
        int acknowledgeSeconds,
        @Nullable String rootToken,
        List<Path> trusted,
        Clock clock) {

    /** For unit tests: http on a free port of the loopback interface. */
    public static SimulatedGitLabOptions plainOnLoopback(Path data) {
        return new SimulatedGitLabOptions(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                null,
                data,
                true,
                true,
                120,
                null,
                List.of(),
                Clock.systemUTC());
    }

    public SimulatedGitLabOptions withListen(InetSocketAddress newListen) {
        return new SimulatedGitLabOptions(
                newListen, hostname, data, plain, twoPhase, acknowledgeSeconds, rootToken, trusted, clock);
    }

    public SimulatedGitLabOptions withTls(String newHostname) {
        return new SimulatedGitLabOptions(
                listen, newHostname, data, false, twoPhase, acknowledgeSeconds, rootToken, trusted, clock);
    }

    public SimulatedGitLabOptions withTwoPhase(boolean newTwoPhase, int newAcknowledgeSeconds) {
        return new SimulatedGitLabOptions(
                listen, hostname, data, plain, newTwoPhase, newAcknowledgeSeconds, rootToken, trusted, clock);
    }

    public SimulatedGitLabOptions withTrusted(List<Path> newTrusted) {
        return new SimulatedGitLabOptions(
                listen, hostname, data, plain, twoPhase, acknowledgeSeconds, rootToken, newTrusted, clock);
    }

    public SimulatedGitLabOptions withClock(Clock newClock) {
        return new SimulatedGitLabOptions(
                listen, hostname, data, plain, twoPhase, acknowledgeSeconds, rootToken, trusted, newClock);
    }

    @Override
    public String toString() {
        return "SimulatedGitLabOptions[" + listen + ", " + hostname + ", " + data + "]";
    }
}
