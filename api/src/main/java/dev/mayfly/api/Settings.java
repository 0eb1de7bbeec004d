package dev.mayfly.api;

import dev.mayfly.activities.capacity.LeaseTimes;
import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.gitlab.GitLabInstanceConfig;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.activities.placement.Order;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.api.agents.HostCredentials;
import dev.mayfly.api.config.AgentsConfig;
import dev.mayfly.api.config.ConfigurationProblem;
import dev.mayfly.api.config.GitLabConfig;
import dev.mayfly.api.config.SecretRef;
import dev.mayfly.api.temporal.TemporalConnection;
import dev.mayfly.api.webhook.WebhookAuthentication;
import java.lang.module.ModuleDescriptor.Version;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The configuration with every secret and file that it names read. Never printed. */
record Settings(
        DatabaseConfig database,
        Sealer sealer,
        List<GitLabInstanceConfig> gitlab,
        Map<String, WebhookAuthentication> webhooks,
        HostCredentials hosts,
        LeaseTimes lease,
        @Nullable Version minimumAgentVersion,
        Rules rules,
        Order order,
        @Nullable String apiToken) {

    private static final String SEAL_KEY_ID = "k1";
    /** A longer pause between two ticks means that this process stood still, not that hosts were silent. */
    private static final Duration LONGEST_TICK = Duration.ofSeconds(10);

    /**
     * Reads everything.
     *
     * @throws ConfigurationProblem that lists all problems at once
     */
    static Settings resolve(ApiConfiguration config, Clock clock) {
        Problems problems = new Problems();
        DatabaseConfig database = problems.get("database", () -> database(config));
        Sealer sealer = problems.get(
                "sealKey", () -> Sealer.ofBase64(SEAL_KEY_ID, config.sealKey().read()));
        List<GitLabInstanceConfig> gitlab = new ArrayList<>();
        Map<String, WebhookAuthentication> webhooks = new HashMap<>();
        for (GitLabConfig instance : config.gitlab()) {
            String where = "gitlab " + instance.name();
            GitLabInstanceConfig read = problems.get(where, () -> instance(instance));
            WebhookAuthentication webhook = problems.get(where, () -> webhook(config, instance, clock));
            if (read != null && webhook != null) {
                gitlab.add(read);
                webhooks.put(instance.name(), webhook);
            }
        }
        problems.get("temporal", () -> {
            new TemporalConnection(config.temporal(), Clock.systemUTC()).close();
            return null;
        });
        HostCredentials hosts = problems.get("agents", () -> new HostCredentials(config.agents()));
        String apiToken = config.apiToken() == null ? null : problems.get("apiToken", () -> read(config.apiToken()));
        problems.throwIfAny();
        return new Settings(
                Objects.requireNonNull(database),
                Objects.requireNonNull(sealer),
                gitlab,
                webhooks,
                Objects.requireNonNull(hosts),
                lease(config.agents().lease()),
                minimumVersion(config.agents().minimumVersion()),
                config.placement().rules(config.tags().smallestSize()),
                config.placement().order(),
                apiToken);
    }

    @Override
    public String toString() {
        return "Settings[redacted]";
    }

    private static DatabaseConfig database(ApiConfiguration config) {
        var database = config.database();
        return new DatabaseConfig(
                database.url(),
                database.user(),
                database.password() == null ? "" : database.password().read(),
                database.maxConnections());
    }

    private static GitLabInstanceConfig instance(GitLabConfig config) {
        GitLabInstanceConfig read = new GitLabInstanceConfig(
                config.name(),
                config.url(),
                config.caPem(),
                config.token().read(),
                Stream.of(config.webhookToken(), config.signingToken())
                        .filter(Objects::nonNull)
                        .map(SecretRef::read)
                        .toList(),
                config.allow());
        new GitLabs(List.of(read)).close(); // throws if the CA's certificates are none
        return read;
    }

    private static WebhookAuthentication webhook(ApiConfiguration config, GitLabConfig instance, Clock clock) {
        return new WebhookAuthentication(
                read(instance.signingToken()),
                read(instance.webhookToken()),
                config.webhook().maxAge().toJavaDuration(),
                clock);
    }

    private static LeaseTimes lease(AgentsConfig.Lease lease) {
        return new LeaseTimes(
                lease.renewEvery().toJavaDuration(),
                lease.suspectAfter().toJavaDuration(),
                lease.lostAfter().toJavaDuration(),
                lease.fenceAfter().toJavaDuration(),
                LONGEST_TICK);
    }

    private static @Nullable Version minimumVersion(@Nullable String version) {
        return version == null ? null : Version.parse(version);
    }

    private static @Nullable String read(@Nullable SecretRef secret) {
        return secret == null ? null : secret.read();
    }

    /** Collects what is wrong, so that the operator mends all of it at once. */
    private static final class Problems {

        private final List<String> found = new ArrayList<>();

        <T> @Nullable T get(String where, Supplier<@Nullable T> value) {
            try {
                return value.get();
            } catch (ConfigurationProblem | IllegalArgumentException e) {
                found.add(where + ": " + e.getMessage());
                return null;
            }
        }

        void throwIfAny() {
            if (!found.isEmpty()) {
                throw new ConfigurationProblem(
                        String.join("\n", found.stream().distinct().toList()));
            }
        }
    }
}
