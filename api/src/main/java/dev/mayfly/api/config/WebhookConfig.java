package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.dropwizard.util.DataSize;
import io.dropwizard.util.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a webhook may be.
 *
 * @param maxBody larger bodies are answered 413
 * @param maxAge how far a signed webhook's time may be off; guards against replays
 */
public record WebhookConfig(DataSize maxBody, Duration maxAge) {

    @JsonCreator
    static WebhookConfig of(
            @JsonProperty("maxBody") @Nullable DataSize maxBody, @JsonProperty("maxAge") @Nullable Duration maxAge) {
        return new WebhookConfig(
                maxBody == null ? DataSize.mebibytes(25) : maxBody, maxAge == null ? Duration.minutes(5) : maxAge);
    }

    /** What a file without {@code webhook} gets. */
    public static WebhookConfig standard() {
        return of(null, null);
    }
}
