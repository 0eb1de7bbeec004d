package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.dropwizard.util.Duration;
import jakarta.validation.Valid;
import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Pattern;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The hosts that may call, and how long they may be silent.
 *
 * @param hosts hosts named one by one
 * @param credentialsDir a folder with one file per host, named as the host id, its content the credential; null if none
 * @param lease when a silent host is suspected and when it is lost
 */
public record AgentsConfig(
        @Valid List<Host> hosts,
        @Nullable String credentialsDir,

        @Nullable @Pattern(regexp = "[0-9]{1,9}(\\.[0-9]{1,9}){0,3}", message = "must be a version such as 0.2")
        String minimumVersion,

        @Valid Lease lease) {

    @JsonCreator
    static AgentsConfig of(
            @JsonProperty("hosts") @Nullable List<Host> hosts,
            @JsonProperty("credentialsDir") @Nullable String credentialsDir,
            @JsonProperty("minimumVersion") @Nullable String minimumVersion,
            @JsonProperty("lease") @Nullable Lease lease) {
        return new AgentsConfig(
                hosts == null ? List.of() : List.copyOf(hosts),
                credentialsDir,
                minimumVersion,
                lease == null ? Lease.of(null, null, null, null) : lease);
    }

    @AssertTrue(message = "names no host: list hosts or a credentialsDir")
    boolean isAnyHostNamed() {
        return !hosts.isEmpty() || credentialsDir != null;
    }

    /** @param credential the bearer credential of this host */
    public record Host(
            @Pattern(regexp = "[a-z0-9][a-z0-9.-]{0,62}", message = "must be a host id")
            String hostId,

            SecretRef credential) {

        @JsonCreator
        static Host of(
                @JsonProperty(value = "hostId", required = true) String hostId,
                @JsonProperty(value = "credential", required = true) SecretRef credential) {
            return new Host(hostId, credential);
        }
    }

    /**
     * @param renewEvery how often an agent renews
     * @param suspectAfter no renewal for so long: no new VMs there
     * @param fenceAfter an agent that could not renew for so long kills its unclaimed VMs; below lostAfter
     * @param lostAfter no renewal for so long while the control plane was up: its VMs are given up
     */
    public record Lease(Duration renewEvery, Duration suspectAfter, Duration fenceAfter, Duration lostAfter) {

        @JsonCreator
        static Lease of(
                @JsonProperty("renewEvery") @Nullable Duration renewEvery,
                @JsonProperty("suspectAfter") @Nullable Duration suspectAfter,
                @JsonProperty("fenceAfter") @Nullable Duration fenceAfter,
                @JsonProperty("lostAfter") @Nullable Duration lostAfter) {
            return new Lease(
                    renewEvery == null ? Duration.seconds(10) : renewEvery,
                    suspectAfter == null ? Duration.seconds(30) : suspectAfter,
                    fenceAfter == null ? Duration.seconds(90) : fenceAfter,
                    lostAfter == null ? Duration.seconds(120) : lostAfter);
        }

        @AssertTrue(message = "must rise: renewEvery < suspectAfter < lostAfter, and fenceAfter < lostAfter")
        boolean isInOrder() {
            return renewEvery.toMilliseconds() < suspectAfter.toMilliseconds()
                    && suspectAfter.toMilliseconds() < lostAfter.toMilliseconds()
                    && fenceAfter.toMilliseconds() < lostAfter.toMilliseconds();
        }
    }
}
