package dev.mayfly.api;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.mayfly.api.config.AgentsConfig;
import dev.mayfly.api.config.DatabaseConfig;
import dev.mayfly.api.config.GitLabConfig;
import dev.mayfly.api.config.PlacementConfig;
import dev.mayfly.api.config.SecretRef;
import dev.mayfly.api.config.SweeperConfig;
import dev.mayfly.api.config.TagsConfig;
import dev.mayfly.api.config.TemporalConfig;
import dev.mayfly.api.config.TimeoutsConfig;
import dev.mayfly.api.config.WebhookConfig;
import dev.mayfly.workflows.Timeouts;
import io.dropwizard.core.Configuration;
import io.dropwizard.util.Duration;
import jakarta.validation.Valid;
import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.NotEmpty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The control plane's configuration: {@code config/api.yml} is the annotated sample. Dropwizard's own parts
 * ({@code server}, {@code logging}, {@code metrics}) stand beside ours. Unknown keys are errors.
 */
public final class ApiConfiguration extends Configuration {

    private final @Valid DatabaseConfig database;
    private final @Valid TemporalConfig temporal;
    private final @Valid @NotEmpty List<GitLabConfig> gitlab;
    private final @Valid AgentsConfig agents;
    private final @Valid TagsConfig tags;
    private final @Valid PlacementConfig placement;
    private final @Valid WebhookConfig webhook;
    private final @Valid SweeperConfig sweeper;
    private final Timeouts timeouts;
    private final Duration vmTimeToLive;
    private final Duration reconcileEvery;
    private final Duration keepJobs;
    private final SecretRef sealKey;
    private final @Nullable SecretRef apiToken;
    private final @Nullable String publicUrl;

    /**
     * Made by the configuration's reader.
     *
     * @param vmTimeToLive the longest that GitLab lets a job run on one of our runners, at least ten minutes
     * @param reconcileEvery how often GitLab is asked for pending jobs whose webhook may be lost
     * @param keepJobs how long an ended job is shown, with its slots and their ledger, at least a day
     * @param sealKey 32 bytes, base64: seals runner and job tokens in PostgreSQL
     * @param apiToken bearer token of the REST API; without one it answers the local machine only
     * @param publicUrl where GitLab reaches us, for webhooks that we add to projects; null if nobody asked us to
     */
    @JsonCreator
    public ApiConfiguration(
            @JsonProperty(value = "database", required = true) DatabaseConfig database,
            @JsonProperty(value = "temporal", required = true) TemporalConfig temporal,
            @JsonProperty(value = "gitlab", required = true) List<GitLabConfig> gitlab,
            @JsonProperty(value = "agents", required = true) AgentsConfig agents,
            @JsonProperty("tags") @Nullable TagsConfig tags,
            @JsonProperty("placement") @Nullable PlacementConfig placement,
            @JsonProperty("webhook") @Nullable WebhookConfig webhook,
            @JsonProperty("sweeper") @Nullable SweeperConfig sweeper,
            @JsonProperty("timeouts") @Nullable TimeoutsConfig timeouts,
            @JsonProperty("vmTimeToLive") @Nullable Duration vmTimeToLive,
            @JsonProperty("reconcileEvery") @Nullable Duration reconcileEvery,
            @JsonProperty("keepJobs") @Nullable Duration keepJobs,
            @JsonProperty(value = "sealKey", required = true) SecretRef sealKey,
            @JsonProperty("apiToken") @Nullable SecretRef apiToken,
            @JsonProperty("publicUrl") @Nullable String publicUrl) {
        this.database = database;
        this.temporal = temporal;
        this.gitlab = List.copyOf(gitlab);
        this.agents = agents;
        this.tags = tags == null ? TagsConfig.standard() : tags;
        this.placement = placement == null ? PlacementConfig.standard() : placement;
        this.webhook = webhook == null ? WebhookConfig.standard() : webhook;
        this.sweeper = sweeper == null ? SweeperConfig.standard() : sweeper;
        this.timeouts = timeouts == null ? Timeouts.defaults() : timeouts.timeouts();
        this.vmTimeToLive = vmTimeToLive == null ? Duration.hours(24) : vmTimeToLive;
        this.reconcileEvery = reconcileEvery == null ? Duration.minutes(1) : reconcileEvery;
        this.keepJobs = keepJobs == null ? Duration.days(90) : keepJobs;
        this.sealKey = sealKey;
        this.apiToken = apiToken;
        this.publicUrl = publicUrl;
    }

    @AssertTrue(message = "two GitLab instances have the same name")
    boolean isEachInstanceNamedOnce() {
        return gitlab.stream().map(GitLabConfig::name).distinct().count() == gitlab.size();
    }

    @AssertTrue(message = "placement names a GitLab instance that is not configured under gitlab")
    boolean isPlacementAboutInstancesThatAreThere() {
        return gitlab.stream().map(GitLabConfig::name).toList().containsAll(placement.instances());
    }

    @AssertTrue(message = "keepJobs must be at least 1d")
    boolean isKeptForADay() {
        return keepJobs.toHours() >= 24;
    }

    @AssertTrue(message = "publicUrl must be an address such as https://mayfly.example.com")
    boolean isPublicUrlAnAddress() {
        return publicUrl == null || publicUrl.matches("https?://[^/?#@]+(/[^?#]*)?");
    }

    public DatabaseConfig database() {
        return database;
    }

    public TemporalConfig temporal() {
        return temporal;
    }

    public List<GitLabConfig> gitlab() {
        return gitlab;
    }

    public AgentsConfig agents() {
        return agents;
    }

    public TagsConfig tags() {
        return tags;
    }

    public PlacementConfig placement() {
        return placement;
    }

    public WebhookConfig webhook() {
        return webhook;
    }

    public SweeperConfig sweeper() {
        return sweeper;
    }

    public Timeouts timeouts() {
        return timeouts;
    }

    public Duration vmTimeToLive() {
        return vmTimeToLive;
    }

    public Duration reconcileEvery() {
        return reconcileEvery;
    }

    public Duration keepJobs() {
        return keepJobs;
    }

    public SecretRef sealKey() {
        return sealKey;
    }

    public @Nullable SecretRef apiToken() {
        return apiToken;
    }

    public @Nullable String publicUrl() {
        return publicUrl;
    }
}
