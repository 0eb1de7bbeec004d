package dev.mayfly.api;

import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.gitlab.GitLabInstanceConfig;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.api.config.TemporalConfig;
import dev.mayfly.api.health.Dependency;
import dev.mayfly.api.sweep.Sweeper;
import dev.mayfly.api.temporal.TemporalConnection;
import java.time.Duration;

/** What the control plane stands on, each with how to look at it and the cure. */
final class Dependencies {

    private Dependencies() {}

    static Dependency postgres(DatabaseConfig config, Dependency.Probe probe) {
        return new Dependency(
                "PostgreSQL",
                "start the database or correct database (url %s, user %s)".formatted(config.url(), config.user()),
                Duration.ZERO,
                true,
                probe);
    }

    static Dependency temporal(TemporalConfig config, TemporalConnection connection) {
        return new Dependency(
                "Temporal",
                "start it at %s with namespace %s, or correct temporal".formatted(config.target(), config.namespace()),
                Duration.ZERO,
                true,
                connection::namespaceId);
    }

    static Dependency gitlab(GitLabInstanceConfig instance, GitLabs gitlabs) {
        return new Dependency(
                "GitLab " + instance.name(),
                "check that %s can be reached from here and that its token is valid and has the scope api"
                        .formatted(instance.url()),
                Duration.ofMinutes(1),
                false,
                () -> gitlabs.version(instance.name()));
    }

    static Dependency sweeper(Sweeper sweeper) {
        return new Dependency("sweeper", "it removes nothing until then", Duration.ZERO, false, () -> {
            String braked = sweeper.braked();
            if (braked != null) {
                throw new IllegalStateException(braked);
            }
        });
    }
}
