package dev.mayfly.activities.gitlab;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One GitLab instance.
 *
 * @param name short name, {@code [a-z0-9-]{1,32}}
 * @param url base URL without {@code /api/v4}
 * @param caPem private CA certificates, null if a public CA signs it
 * @param token access token with scope {@code api}; role Maintainer or Owner of the projects
 * @param webhookSecrets secret tokens and {@code whsec_…} signing tokens that webhooks may carry; several while one is
 *     being exchanged
 * @param allow more {@code host:port} that guests may reach
 */
public record GitLabInstanceConfig(
        String name,
        String url,
        @Nullable String caPem,
        String token,
        List<String> webhookSecrets,
        List<String> allow) {

    public GitLabInstanceConfig {
        webhookSecrets = List.copyOf(webhookSecrets);
        allow = List.copyOf(allow);
    }

    @Override
    public String toString() {
        return "GitLabInstanceConfig[name=%s, url=%s]".formatted(name, url);
    }
}
