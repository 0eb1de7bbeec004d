package dev.mayfly.activities.capacity;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;

/**
 * How long a job will wait from now on.
 *
 * @param median in half of all cases no longer
 * @param ninety in 9 of 10 cases no longer
 */
public record Eta(Duration median, Duration ninety) {

    /** {@code in 40 s, in 9 of 10 cases within 7 min}; in JSON, too. */
    @JsonProperty
    public String words() {
        return "in %s, in 9 of 10 cases within %s".formatted(words(median), words(ninety));
    }

    /** {@code 40 s}, {@code 7 min}, {@code 2 h 5 min}. */
    private static String words(Duration time) {
        if (time.compareTo(Duration.ofMinutes(2)) < 0) {
            return time.toSeconds() + " s";
        }
        return time.toHours() == 0
                ? time.toMinutes() + " min"
                : "%d h %d min".formatted(time.toHours(), time.toMinutesPart());
    }
}
