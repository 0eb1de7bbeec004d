package dev.mayfly.activities.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.FailureType;
import io.temporal.failure.ApplicationFailure;
import java.time.Duration;
import org.gitlab4j.api.GitLabApiException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GitLabErrorsTest {

    @ParameterizedTest
    @CsvSource({
        "0, true, can the control plane reach GitLab", // no connection
        "400, false, GitLab will not take this request",
        "401, false, configure a valid one",
        "403, false, Maintainer or Owner",
        "404, false, it does not exist",
        "405, false, GitLab will not take this request",
        "408, true, trying again",
        "409, true, trying again",
        "410, false, GitLab will not take this request",
        "412, true, trying again",
        "413, false, GitLab will not take this request",
        "422, false, GitLab will not take this request",
        "425, true, trying again",
        "429, true, limits our requests",
        "500, true, trying again",
        "502, true, trying again",
        "503, true, trying again",
        "504, true, trying again",
        "520, true, trying again",
    })
    void eachStatusIsRetryableOrNotAndNamesItsCure(int status, boolean retryable, String cure) {
        ApplicationFailure failure =
                GitLabErrors.failure("creating a runner in acme/app", new GitLabApiException("said GitLab", status));

        FailureType type = retryable ? FailureType.GITLAB_UNAVAILABLE : FailureType.GITLAB_REFUSED;
        assertThat(failure.getType()).isEqualTo(type.name());
        assertThat(failure.isNonRetryable()).isEqualTo(!retryable);
        assertThat(failure.getOriginalMessage())
                .startsWith("creating a runner in acme/app: ")
                .contains("said GitLab")
                .contains(cure);
        assertThat(failure.getNextRetryDelay()).isNull();
    }

    @ParameterizedTest
    @CsvSource({"7, 7", "0, 0", "3600, 600", "999999, 600"})
    void retryAfterIsHonouredUpToALimit(String header, long seconds) {
        assertThat(GitLabErrors.failure("x", 429, "slow down", header).getNextRetryDelay())
                .isEqualTo(Duration.ofSeconds(seconds));
        assertThat(GitLabErrors.failure("x", 503, "migrating", header).getNextRetryDelay())
                .isEqualTo(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @CsvSource({"soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999"})
    void aRetryAfterThatIsNoNumberOfSecondsIsIgnored(@Nullable String header) {
        assertThat(GitLabErrors.failure("x", 429, "slow down", header).getNextRetryDelay())
                .isNull();
    }

    @Test
    void aRefusalIsNotTriedAgainWhateverItsHeaders() {
        ApplicationFailure failure = GitLabErrors.failure("x", 403, "no", "7");

        assertThat(failure.isNonRetryable()).isTrue();
        assertThat(failure.getNextRetryDelay()).isNull();
    }

    @Test
    void aMissingScopeIsToldApartFromAMissingRole() {
        assertThat(GitLabErrors.failure("x", 403, "insufficient_scope", null).getOriginalMessage())
                .contains("lacks the scope api")
                .doesNotContain("Maintainer");
    }
}
