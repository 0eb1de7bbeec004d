package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.dropwizard.util.Duration;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where PostgreSQL is.
 *
 * @param url JDBC URL without credentials, {@code jdbc:postgresql://host:5432/mayfly}
 * @param user the role that owns the database
 * @param password its password; null if the server asks for none
 * @param maxConnections the most connections this process keeps open
 * @param waitAtStart how long to wait at start for a server that does not answer
 */
public record DatabaseConfig(
        @Pattern(
                regexp = "jdbc:postgresql:[^@?]*(\\?(?!.*password=).*)?",
                message = "must be jdbc:postgresql://host:port/database without user or password in it")
        String url,

        String user,
        @Nullable SecretRef password,
        @Min(3) @Max(200) int maxConnections,
        Duration waitAtStart) {

    private static final int DEFAULT_CONNECTIONS = 16;

    @JsonCreator
    static DatabaseConfig of(
            @JsonProperty(value = "url", required = true) String url,
            @JsonProperty(value = "user", required = true) String user,
            @JsonProperty("password") @Nullable SecretRef password,
            @JsonProperty("maxConnections") @Nullable Integer maxConnections,
            @JsonProperty("waitAtStart") @Nullable Duration waitAtStart) {
        return new DatabaseConfig(
                url,
                user,
                password,
                maxConnections == null ? DEFAULT_CONNECTIONS : maxConnections,
                waitAtStart == null ? Duration.minutes(1) : waitAtStart);
    }
}
