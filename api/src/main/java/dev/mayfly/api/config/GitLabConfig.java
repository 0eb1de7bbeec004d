package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Pattern;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One GitLab instance.
 *
 * @param name its short name in workflow ids and in the webhook's path
 * @param url base URL, without {@code /api/v4}
 * @param caFile certificates of its private CA as PEM; null if a public CA signs it
 * @param token access token with scopes {@code api} and {@code create_runner}, role Maintainer in the projects served
 * @param webhookToken what GitLab sends as {@code X-Gitlab-Token}
 * @param signingToken {@code whsec_…}, GitLab 19 and newer
 * @param reenableWebhooks whether webhooks that GitLab switched off are tested, which switches them on if they work
 * @param runnerLimit how many runners this GitLab allows a project; 0 for any number
 * @param allow more {@code host:port} that guests may reach though they are on private addresses
 */
public record GitLabConfig(
        @Pattern(regexp = "[a-z0-9-]{1,32}", message = "must be 1 to 32 of a-z, 0-9 and -")
        String name,

        @Pattern(
                regexp = "https?://[^/?#@]+(/[^?#]*)?",
                message = "must be the base URL, such as https://gitlab.example")
        String url,

        @Nullable String caFile,
        SecretRef token,
        @Nullable SecretRef webhookToken,
        @Nullable SecretRef signingToken,
        boolean reenableWebhooks,
        @Min(0) int runnerLimit,
        List<@Pattern(regexp = ".+:\\d+", message = "must be host:port") String> allow) {

    /** GitLab's own default of the plan limit {@code ci_registered_project_runners}. */
    private static final int RUNNER_LIMIT = 1000;

    @JsonCreator
    static GitLabConfig of(
            @JsonProperty(value = "name", required = true) String name,
            @JsonProperty(value = "url", required = true) String url,
            @JsonProperty("caFile") @Nullable String caFile,
            @JsonProperty(value = "token", required = true) SecretRef token,
            @JsonProperty("webhookToken") @Nullable SecretRef webhookToken,
            @JsonProperty("signingToken") @Nullable SecretRef signingToken,
            @JsonProperty("reenableWebhooks") boolean reenableWebhooks,
            @JsonProperty("runnerLimit") @Nullable Integer runnerLimit,
            @JsonProperty("allow") @Nullable List<String> allow) {
        return new GitLabConfig(
                name,
                url.endsWith("/") ? url.substring(0, url.length() - 1) : url,
                caFile,
                token,
                webhookToken,
                signingToken,
                reenableWebhooks,
                runnerLimit == null ? RUNNER_LIMIT : runnerLimit,
                allow == null ? List.of() : List.copyOf(allow));
    }

    /** A webhook that nobody authenticates would let anyone start VMs. */
    @AssertTrue(message = "needs webhookToken or signingToken: without one no webhook can be authentic")
    boolean isWebhookAuthenticated() {
        return webhookToken != null || signingToken != null;
    }

    /** The private CA's certificates as PEM, null if a public CA signs this instance. */
    public @Nullable String caPem() {
        if (caFile == null) {
            return null;
        }
        try {
            return Files.readString(Path.of(caFile));
        } catch (IOException e) {
            throw new ConfigurationProblem(
                    "gitlab %s: the CA file %s can't be read; correct caFile".formatted(name, caFile), e);
        }
    }
}
