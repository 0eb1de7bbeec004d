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
 * @param watchEvery how often GitLab is asked whether it still sends them
 */
public record WebhookConfig(DataSize maxBody, Duration maxAge, Duration watchEvery) {

    @JsonCreator
    static WebhookConfig of(
            @JsonProperty("maxBody") @Nullable DataSize maxBody,
            @JsonProperty("maxAge") @Nullable Duration maxAge,
            @JsonProperty("watchEvery") @Nullable Duration watchEvery) {
        return new WebhookConfig(
                maxBody == null ? DataSize.mebibytes(25) : maxBody,
                maxAge == null ? Duration.minutes(5) : maxAge,
                watchEvery == null ? Duration.minutes(5) : watchEvery);
    }

    /** What a file without {@code webhook} gets. */
    public static WebhookConfig standard() {
        return of(null, null, null);
    }
}
