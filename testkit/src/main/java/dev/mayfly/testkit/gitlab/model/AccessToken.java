package dev.mayfly.testkit.gitlab.model;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A personal or project access token.
 *
 * @param project the only project that it is good for, or null for all
 * @param accessLevel role in its projects: 20 Reporter, 30 Developer, 40 Maintainer, 50 Owner
 */
public record AccessToken(
        long id,
        String name,
        String token,
        User user,
        List<String> scopes,
        @Nullable Long project,
        int accessLevel,
        Instant createdAt) {
    @Override
    public String toString() {
        return "AccessToken[" + id + ", " + name + ", " + scopes + "]";
    }
}
