package dev.mayfly.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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

    private static final String LEASE = "lease.json";

    private static final ObjectMapper JSON = JsonMapper.builder()
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
        this.leaseFile = stateDir.resolve(LEASE);
        this.hostId = keptId(stateDir.resolve("host-id"), configuredId);
        this.lease = keptLease(stateDir).orElse(null);
    }

    /** What the control plane last told the agent with this state folder; empty before the very first lease. */
    static Optional<LeaseReply> keptLease(Path stateDir) throws IOException {
        Path file = stateDir.resolve(LEASE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.readValue(file.toFile(), LeaseReply.class));
        } catch (JsonProcessingException e) {
            throw new IOException(
                    "%s is damaged (%s); delete it if no VM of this host runs any more, the control plane tells it anew"
                            .formatted(file, e.getOriginalMessage()),
                    e);
        }
    }

    private static String keptId(Path file, @Nullable String configuredId) throws IOException {
        if (!Files.exists(file)) {
            DurableFiles.write(
                    file, (configuredId != null ? configuredId : madeUp()).getBytes(StandardCharsets.US_ASCII));
        }
        String kept = Files.readString(file).strip();
        if (configuredId != null && !configuredId.equals(kept)) {
            throw new IOException(
                    "this state folder is %s's and agent.yml says hostId %s; set it back, or give this host another stateDir"
                            .formatted(kept, configuredId));
        }
        return kept;
    }

    private static String madeUp() {
        byte[] random = new byte[6];
        new SecureRandom().nextBytes(random);
        return "host-" + HexFormat.of().formatHex(random);
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
            DurableFiles.write(leaseFile, JSON.writeValueAsBytes(reply));
            lease = reply;
        }
    }
}
