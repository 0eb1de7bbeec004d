package dev.mayfly.agent;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who this host is: its id, and what the control plane last told it, kept in the state folder so that an agent that starts
 * while the control plane is away goes on where its predecessor stood.
 */
public final class HostIdentity {

    private final ObjectMapper json = JsonMapper.builder()
            .addModule(new JavaTimeModule())
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
            .build();
    private final Path leaseFile;
    private final String hostId;
    private volatile @Nullable LeaseReply lease;

    /**
     * Reads or makes the identity.
     *
     * @param configuredId as in agent.yml; null for the kept one, made up at the first start
     */
    public HostIdentity(Path stateDir, @Nullable String configuredId) throws IOException {
        Files.createDirectories(stateDir);
        this.leaseFile = stateDir.resolve("lease.json");
        this.hostId = configuredId != null ? configuredId : keptId(stateDir.resolve("host-id"));
        this.lease = Files.exists(leaseFile) ? json.readValue(leaseFile.toFile(), LeaseReply.class) : null;
    }

    private static String keptId(Path file) throws IOException {
        if (!Files.exists(file)) {
            byte[] random = new byte[6];
            new SecureRandom().nextBytes(random);
            DurableFiles.write(
                    file,
                    ("host-" + HexFormat.of().formatHex(random)).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        }
        return Files.readString(file).strip();
    }

    public String hostId() {
        return hostId;
    }

    /** What the control plane last said; empty before the very first lease. */
    public Optional<LeaseReply> lease() {
        return Optional.ofNullable(lease);
    }

    /** The host's epoch as far as this agent knows; 0 before the very first lease. */
    public long epoch() {
        return lease().map(LeaseReply::epoch).orElse(0L);
    }

    /** Keeps what the control plane said; on disk when this returns. */
    public void learn(LeaseReply reply) throws IOException {
        if (!reply.equals(lease)) {
            DurableFiles.write(leaseFile, json.writeValueAsBytes(reply));
            lease = reply;
        }
    }
}
