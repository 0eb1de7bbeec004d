package dev.mayfly.testkit.gitlab.model;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A runner as GitLab keeps it: what it may take, who contacted with its token. Guarded by the instance's lock. */
public final class Runner {
    private static final Duration ONLINE = Duration.ofHours(2);
    private static final Duration STALE = Duration.ofDays(7);

    private final long id;
    private final String type;
    private final Set<Long> projects;
    private final Instant createdAt;
    private final Map<String, RunnerManager> managers = new LinkedHashMap<>();
    private String token;
    private RunnerSettings settings;
    private @Nullable Instant contactedAt;
    private String queueToken;

    public Runner(
            long id,
            String token,
            String type,
            Set<Long> projects,
            RunnerSettings settings,
            String queueToken,
            Instant createdAt) {
        this.id = id;
        this.token = token;
        this.type = type;
        this.projects = new LinkedHashSet<>(projects);
        this.settings = settings;
        this.queueToken = queueToken;
        this.createdAt = createdAt;
    }

    public long id() {
        return id;
    }

    public String token() {
        return token;
    }

    public void changeToken(String newToken) {
        token = newToken;
    }

    /** {@code instance_type}, {@code group_type} or {@code project_type}. */
    public String type() {
        return type;
    }

    public boolean isShared() {
        return type.equals("instance_type");
    }

    public Set<Long> projects() {
        return projects;
    }

    public RunnerSettings settings() {
        return settings;
    }

    public void change(RunnerSettings newSettings) {
        settings = newSettings;
    }

    public Instant createdAt() {
        return createdAt;
    }

    public @Nullable Instant contactedAt() {
        return contactedAt;
    }

    public List<RunnerManager> managers() {
        return new ArrayList<>(managers.values());
    }

    /** The manager of this {@code system_id}, made at its first contact. */
    public RunnerManager contact(long nextId, String systemId, Map<String, Object> info, String address, Instant now) {
        contactedAt = now;
        RunnerManager before = managers.get(systemId);
        RunnerManager manager = new RunnerManager(
                before == null ? nextId : before.id(),
                systemId,
                info.isEmpty() && before != null ? before.info() : info,
                address,
                before == null ? now : before.createdAt(),
                now);
        managers.put(systemId, manager);
        return manager;
    }

    public boolean removeManager(String systemId) {
        return managers.remove(systemId) != null;
    }

    /** Changes with whatever might let this runner find a job: {@code X-GitLab-Last-Update}. */
    public String queueToken() {
        return queueToken;
    }

    public void tick(String newQueueToken) {
        queueToken = newQueueToken;
    }

    /** {@code online}, {@code offline}, {@code stale} or {@code never_contacted}. */
    public String status(Instant now) {
        Instant contact = contactedAt;
        if (contact == null) {
            return createdAt.plus(STALE).isBefore(now) ? "stale" : "never_contacted";
        }
        if (contact.plus(ONLINE).isAfter(now)) {
            return "online";
        }
        return contact.plus(STALE).isAfter(now) ? "offline" : "stale";
    }

    /**
     * GitLab's rule of matching: every tag of the job is one of the runner's; a job without tags wants a runner that
     * takes untagged ones; a protected runner takes protected refs only.
     */
    public boolean accepts(Build build) {
        return (isShared() || projects.contains(build.project().id()))
                && (settings.runUntagged() || !build.tags().isEmpty())
                && settings.tags().containsAll(build.tags())
                && (!settings.accessLevel().equals("ref_protected")
                        || build.pipeline().isProtected());
    }
}
