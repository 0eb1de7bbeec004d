package dev.mayfly.agent;

import dev.mayfly.agent.network.HostPorts;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code agent.yml}, read by {@link AgentConfigFile}; {@code config/agent.yml} explains every key. What may be left out has
 * its default in {@code agent-defaults.yml} beside this class. Holds no secret.
 *
 * @param hostId this host's name in the fleet, null for one made up at the first start and kept
 * @param stateDir on disk: identity, journal, VMs' disks
 * @param runDir on tmpfs: claims, tokens, sockets
 * @param lockDir shared by all agents of this machine: keeps them apart
 * @param image folder of the guest image; may be null for the simulated driver
 * @param nativeDir folder of mayfly-guard
 * @param addressPool IPv4 network of the cables into VMs
 * @param relayPort where guests reach the relay, on this host's end of their cables
 * @param labels of this host, for jobs that ask for one
 * @param rebootCommand what reboots this machine when it is empty and an operator ordered it
 */
public record AgentConfig(
        @Nullable String hostId,
        Path stateDir,
        Path runDir,
        Path lockDir,
        ControlPlaneConfig controlPlane,
        TemporalConfig temporal,
        Driver driver,
        @Nullable Path image,
        @Nullable Path nativeDir,
        String qemu,
        AcceleratorMode accelerator,
        CapacityConfig capacity,
        String addressPool,
        UidRange uidRange,
        int relayPort,
        List<String> labels,
        List<String> rebootCommand,
        EgressConfig egress,
        GuestConfig guest,
        TemplateConfig templates,
        RegistryConfig registry,
        SimulatedConfig simulated,
        TimeoutConfig timeouts) {

    /** What guests reach on this host. */
    HostPorts ports() {
        return new HostPorts(relayPort, registry.isOn() ? registry.port() : 0);
    }

    /** How VMs are run. */
    public enum Driver {
        QEMU,
        SIMULATED
    }

    /** How QEMU runs a guest's CPU. */
    public enum AcceleratorMode {
        AUTO,
        KVM,
        TCG
    }

    /**
     * Where the agents' calls go.
     *
     * @param caFile private CA certificates as PEM, null for the public ones
     * @param credentialFile holds this host's credential; null takes it from MAYFLY_AGENT_CREDENTIAL
     */
    public record ControlPlaneConfig(
            String url, @Nullable Path caFile, @Nullable Path credentialFile) {}

    /** @param target host:port of Temporal's frontend */
    public record TemporalConfig(
            String target, String namespace, @Nullable TlsConfig tls) {}

    /**
     * TLS towards Temporal.
     *
     * @param caFile private CA certificates, null for the public ones
     * @param certFile client certificate, null for none
     * @param keyFile its key, PKCS#8
     */
    public record TlsConfig(
            @Nullable Path caFile,
            @Nullable Path certFile,
            @Nullable Path keyFile) {}

    /**
     * What this host offers; each null takes what is found less a reserve. May exceed what the machine has.
     *
     * @param diskFloorMib what stays free on the state folder's disk whatever jobs ask for
     */
    public record CapacityConfig(
            @Nullable BigDecimal cpus,
            @Nullable Integer memoryMib,
            @Nullable Integer diskMib,
            int diskFloorMib) {}

    /** User ids of VMs, first and last. */
    public record UidRange(int first, int last) {

        public UidRange {
            if (first < 1000 || last < first + 2) {
                throw new IllegalArgumentException(
                        "uidRange must be <first>-<last> of three or more with a first of at least 1000, such as 200000-200999");
            }
        }

        @com.fasterxml.jackson.annotation.JsonCreator
        static UidRange parse(String text) {
            String[] ends = text.split("-", -1);
            try {
                return new UidRange(Integer.parseInt(ends[0].strip()), Integer.parseInt(ends[ends.length - 1].strip()));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("uidRange must be <first>-<last>, such as 200000-200999", e);
            }
        }

        public int size() {
            return last - first + 1;
        }

        /** Whether ids from {@code start} on share any with these. */
        boolean overlaps(long start, long count) {
            return start <= last && first < start + count;
        }
    }

    /** @param allow {@code host:port} each that guests may reach though they are on private addresses */
    public record EgressConfig(List<String> allow) {}

    /**
     * What guests are told.
     *
     * @param resolvers DNS servers of guests; empty takes the host's own
     * @param defaultImage the image of docker jobs that name none; empty fails them
     * @param helperImage what the official runner clones and moves artifacts in; empty takes the one it names itself
     * @param privileged whether the containers of docker jobs may do in their VM what the VM can
     */
    public record GuestConfig(List<String> resolvers, String defaultImage, String helperImage, boolean privileged) {}

    /**
     * Saved VMs that others are clones of.
     *
     * @param most how many, 0 for none: then every VM boots
     * @param diskMib what they may take of stateDir's disk together
     */
    public record TemplateConfig(int most, int diskMib) {}

    /**
     * Images that this host keeps for docker jobs; neither preload nor upstreams: none.
     *
     * @param program Debian's docker-registry, name or path of what every user may run
     * @param port where guests reach it, on this host's end of their cables
     * @param preload folder of archives of images, null for none
     * @param upstreams registries whose images pass through, {@link dev.mayfly.agent.registry.Upstream} each
     * @param caFile private CA certificates that upstreams are trusted by besides the machine's, null for none
     * @param diskMib what the upstreams' images may take of stateDir's disk together
     */
    public record RegistryConfig(
            String program,
            int port,
            @Nullable Path preload,
            List<String> upstreams,
            @Nullable Path caFile,
            int diskMib) {

        /** Whether there is one. */
        boolean isOn() {
            return preload != null || !upstreams.isEmpty();
        }
    }

    /** @param boot how long a simulated VM takes until it answers */
    public record SimulatedConfig(Duration boot) {}

    /**
     * Times.
     *
     * @param vmTimeToLive how long a VM lives at most, whatever happens
     * @param agentGone how long VMs outlive an agent that gives no sign of life
     * @param kvmProbe how long a probe boot under KVM may take
     * @param tombstones how long destroyed slots are remembered
     */
    public record TimeoutConfig(Duration vmTimeToLive, Duration agentGone, Duration kvmProbe, Duration tombstones) {}
}
