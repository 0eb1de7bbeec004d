package dev.mayfly.agent.guest;

import org.jspecify.annotations.Nullable;

/**
 * What a guest is told of itself and its world before any job.
 *
 * @param machineId 32 hex characters
 * @param resolvConf text of its {@code resolv.conf}
 * @param caPem private CA certificates for its trust store, null if there are none
 * @param address its own, with prefix length
 * @param docker for jobs with the docker executor
 */
public record GuestIdentity(
        String hostname,
        String machineId,
        String resolvConf,
        @Nullable String caPem,
        String address,
        String gateway,
        DockerOptions docker) {

    /** Of a guest that runs no docker job. */
    public GuestIdentity(
            String hostname,
            String machineId,
            String resolvConf,
            @Nullable String caPem,
            String address,
            String gateway) {
        this(hostname, machineId, resolvConf, caPem, address, gateway, new DockerOptions("", "", false));
    }
}
