package dev.mayfly.demo;

import dev.mayfly.testkit.tls.PrivateCa;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The files of a cluster, all below one work folder: configurations, secrets, certificates, logs, data.
 *
 * @param work the work folder
 */
public record ClusterFiles(Path work) {

    /** Makes the secrets of a new installation with this many hosts. */
    void writeSecrets(int hosts) {
        for (String name : List.of("webhook-token", "api-token", "seal-key")) {
            Servers.secretFile(secret(name), 32);
        }
        Servers.write(secret("webhook-signing-token"), "whsec_" + Servers.secretFile(secret("signing"), 32));
        for (int host = 1; host <= hosts; host++) {
            Servers.secretFile(secret("hosts/host-" + host), 32);
        }
    }

    /** Every secret that {@link #writeSecrets} made. */
    List<String> secretsOf(int hosts) {
        List<String> secrets = new ArrayList<>();
        for (String name : List.of("webhook-token", "api-token", "seal-key", "webhook-signing-token")) {
            secrets.add(readSecret(name));
        }
        for (int host = 1; host <= hosts; host++) {
            secrets.add(readSecret("hosts/host-" + host));
        }
        return secrets;
    }

    Path secret(String name) {
        return work.resolve("secrets").resolve(name);
    }

    String readSecret(String name) {
        return Servers.read(secret(name));
    }

    /** Signs the control plane's certificate; hosts trust it. */
    PrivateCa ca() {
        return PrivateCa.openOrCreate(work.resolve("tls"), "Mayfly demo CA");
    }

    /** The configuration of this control plane. */
    Path apiConfig(String server) {
        return work.resolve(server + ".yml");
    }

    Path agentConfig(int host) {
        return work.resolve("agent-%d.yml".formatted(host));
    }

    /** The host's copy of the guest image. */
    Path image(int host) {
        return work.resolve("host-%d/image".formatted(host));
    }

    /** What the host's agent keeps. */
    Path state(int host) {
        return work.resolve("host-%d/state".formatted(host));
    }

    public Path log(String server) {
        return work.resolve("logs").resolve(server + ".log");
    }

    Path postgres() {
        return work.resolve("postgres");
    }

    Path temporalDatabase() {
        return work.resolve("temporal.db");
    }

    /** All that the full Temporal server has. */
    Path fullTemporal() {
        return work.resolve("temporal");
    }

    /** Data of the simulated GitLab. */
    Path gitlab() {
        return work.resolve("gitlab");
    }

    public Path gitlabCa() {
        return gitlab().resolve("tls/ca.pem");
    }

    /** The last thing that the simulated GitLab writes while starting. */
    boolean hasGitLabRootToken() {
        return Files.isRegularFile(gitlab().resolve("root-token"))
                && !gitlabRootToken().isEmpty();
    }

    public String gitlabRootToken() {
        return Servers.read(gitlab().resolve("root-token"));
    }

    /** Names and addresses as {@code /etc/hosts} has them; only the cluster's own Java processes read it. */
    Path hosts() {
        return work.resolve("hosts");
    }
}
