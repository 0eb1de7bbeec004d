package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.dropwizard.util.Duration;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import org.jspecify.annotations.Nullable;

/**
 * How careful the sweeper is. The defaults are the design; tests use seconds.
 *
 * @param every how often it compares
 * @param agreeAfter two sweeps at least so far apart must agree that a thing is an orphan
 * @param olderThan and it must be older than this
 * @param brakeCount a pass never removes more than the larger of this and
 * @param brakePercent this share of what lives
 */
public record SweeperConfig(
        Duration every,
        Duration agreeAfter,
        Duration olderThan,
        @Min(1) int brakeCount,
        @Min(1) @Max(100) int brakePercent) {

    @JsonCreator
    static SweeperConfig of(
            @JsonProperty("every") @Nullable Duration every,
            @JsonProperty("agreeAfter") @Nullable Duration agreeAfter,
            @JsonProperty("olderThan") @Nullable Duration olderThan,
            @JsonProperty("brakeCount") @Nullable Integer brakeCount,
            @JsonProperty("brakePercent") @Nullable Integer brakePercent) {
        return new SweeperConfig(
                every == null ? Duration.minutes(1) : every,
                agreeAfter == null ? Duration.seconds(30) : agreeAfter,
                olderThan == null ? Duration.seconds(60) : olderThan,
                brakeCount == null ? 5 : brakeCount,
                brakePercent == null ? 20 : brakePercent);
    }

    /** What a file without {@code sweeper} gets. */
    public static SweeperConfig standard() {
        return of(null, null, null, null, null);
    }
}
