package dev.mayfly.api.connect;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A project's webhook as GitLab shows it.
 *
 * @param tokenPresent whether it has a secret token; null from a GitLab that doesn't say
 * @param signingTokenPresent whether it signs; null from a GitLab that can't
 * @param alertStatus {@code executable}, or that GitLab has switched it off after failures
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record ProjectHook(
        @JsonProperty("id") long id,
        @JsonProperty("url") String url,
        @JsonProperty("job_events") boolean jobEvents,
        @JsonProperty("pipeline_events") boolean pipelineEvents,
        @JsonProperty("push_events") boolean pushEvents,
        @JsonProperty("enable_ssl_verification") boolean verified,
        @JsonProperty("token_present") @Nullable Boolean tokenPresent,
        @JsonProperty("signing_token_present") @Nullable Boolean signingTokenPresent,
        @JsonProperty("alert_status") @Nullable String alertStatus) {

    /** The alert status of a webhook that GitLab sends. */
    static final String ON = "executable";

    /** Whether GitLab sends it; one that doesn't say does. */
    boolean isOn() {
        return alertStatus == null || alertStatus.equals(ON);
    }

    /** What is not as it should be, in words. */
    List<String> deviations(boolean wantsToken, boolean wantsSigningToken) {
        List<String> found = new ArrayList<>();
        if (!jobEvents) {
            found.add("job events are off");
        }
        if (!pipelineEvents) {
            found.add("pipeline events are off");
        }
        if (pushEvents) {
            found.add("push events are on, which nobody here needs");
        }
        if (!verified) {
            found.add("SSL verification is off");
        }
        if (wantsToken && Boolean.FALSE.equals(tokenPresent)) {
            found.add("it has no secret token");
        }
        if (wantsSigningToken && Boolean.FALSE.equals(signingTokenPresent)) {
            found.add("it has no signing token");
        }
        if (!isOn()) {
            found.add("GitLab has switched it off after failed deliveries (%s)".formatted(alertStatus));
        }
        return found;
    }
}
