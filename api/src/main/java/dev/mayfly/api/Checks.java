package dev.mayfly.api;

import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.gitlab.GitLabInstanceConfig;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.api.config.ConfigurationProblem;
import dev.mayfly.api.health.Dependency;
import dev.mayfly.api.temporal.TemporalConnection;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** What is wrong with the things that a configuration names; a line for each, with its cure. Changes nothing. */
public final class Checks {

    private static final String CONNECT_SECONDS = "5";

    private Checks() {}

    /** Secrets and files that are missing or can't be used. */
    public static List<String> unreadable(ApiConfiguration config) {
        try {
            Settings.resolve(config, Clock.systemUTC());
            return List.of();
        } catch (ConfigurationProblem e) {
            return String.valueOf(e.getMessage()).lines().toList();
        }
    }

    /** Servers that don't answer; the secrets must be readable. */
    public static List<String> unreachable(ApiConfiguration config) {
        Settings settings = Settings.resolve(config, Clock.systemUTC());
        List<String> problems = new ArrayList<>();
        try (TemporalConnection temporal = new TemporalConnection(config.temporal(), Clock.systemUTC());
                GitLabs gitlabs = new GitLabs(settings.gitlab())) {
            probe(Dependencies.postgres(settings.database(), () -> connect(settings.database())), problems);
            probe(Dependencies.temporal(config.temporal(), temporal), problems);
            for (GitLabInstanceConfig instance : settings.gitlab()) {
                probe(Dependencies.gitlab(instance, gitlabs), problems);
            }
        }
        return problems;
    }

    private static void probe(Dependency dependency, List<String> problems) {
        try {
            dependency.probe().run();
        } catch (Exception e) {
            problems.add("%s: %s; %s".formatted(dependency.name(), Failures.inWords(e), dependency.cure()));
        }
    }

    private static void connect(DatabaseConfig config) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", config.user());
        properties.setProperty("password", config.password());
        properties.setProperty("connectTimeout", CONNECT_SECONDS);
        try (Connection connection = DriverManager.getConnection(config.url(), properties)) {
            connection.isValid(Integer.parseInt(CONNECT_SECONDS));
        }
    }
}
