package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where Temporal is.
 *
 * @param target {@code host:port} of the frontend
 * @param namespace the namespace of this installation, {@code mayfly} unless given; agents' default is the same
 * @param cachedWorkflows of how many jobs the workflows stay in memory, each with up to three threads; each step of another
 *     one is preceded by a replay of its history
 * @param tls null for a connection in the clear
 */
public record TemporalConfig(
        @Pattern(regexp = ".+:\\d+", message = "must be host:port")
        String target,

        @NotBlank String namespace,

        @Min(1) int cachedWorkflows,

        @Valid @Nullable Tls tls) {

    private static final int CACHED_WORKFLOWS = 2000;

    @JsonCreator
    static TemporalConfig of(
            @JsonProperty(value = "target", required = true) String target,
            @JsonProperty("namespace") @Nullable String namespace,
            @JsonProperty("cachedWorkflows") @Nullable Integer cachedWorkflows,
            @JsonProperty("tls") @Nullable Tls tls) {
        return new TemporalConfig(
                target,
                namespace == null ? "mayfly" : namespace,
                cachedWorkflows == null ? CACHED_WORKFLOWS : cachedWorkflows,
                tls);
    }

    /**
     * TLS towards Temporal.
     *
     * @param caFile certificates of a private CA as PEM; null for the public ones
     * @param certFile our client certificate chain as PEM; null without mutual TLS
     * @param keyFile its private key as PEM, PKCS #8
     * @param serverName the name to expect in the server's certificate, if it is not the target's
     */
    public record Tls(
            @Nullable String caFile,
            @Nullable String certFile,
            @Nullable String keyFile,
            @Nullable String serverName) {}
}
