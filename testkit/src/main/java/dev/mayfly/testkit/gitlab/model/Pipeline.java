package dev.mayfly.testkit.gitlab.model;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A pipeline and its builds, retried ones included. Guarded by the instance's lock. */
public final class Pipeline {
    /** What a pipeline was made for. */
    public record Cause(
            String source,
            String ref,
            boolean tag,
            boolean isProtected,
            String sha,
            String beforeSha,
            User user,
            List<CiVariable> variables) {}

    /** The commit it runs on. */
    public record Commit(String sha, String message, Instant at, String authorName, String authorEmail) {
        public String title() {
            return message.lines().findFirst().orElse("");
        }
    }

    private final long id;
    private final long iid;
    private final Project project;
    private final Cause cause;
    private final Commit commit;
    private final List<String> stages;
    private final Instant createdAt;
    private final List<Build> builds = new ArrayList<>();
    private final @Nullable String yamlErrors;
    private CiStatus status = CiStatus.CREATED;
    private Instant updatedAt;
    private @Nullable Instant startedAt;
    private @Nullable Instant finishedAt;

    public Pipeline(
            long id,
            Project project,
            Cause cause,
            Commit commit,
            List<String> stages,
            @Nullable String yamlErrors,
            Instant createdAt) {
        this.id = id;
        this.iid = project.nextPipelineIid();
        this.project = project;
        this.cause = cause;
        this.commit = commit;
        this.stages = List.copyOf(stages);
        this.yamlErrors = yamlErrors;
        this.createdAt = createdAt;
        this.updatedAt = createdAt;
    }

    public long id() {
        return id;
    }

    public long iid() {
        return iid;
    }

    public Project project() {
        return project;
    }

    public Cause cause() {
        return cause;
    }

    public Commit commit() {
        return commit;
    }

    public List<String> stages() {
        return stages;
    }

    public boolean isProtected() {
        return cause.isProtected();
    }

    public @Nullable String yamlErrors() {
        return yamlErrors;
    }

    public List<Build> builds() {
        return builds;
    }

    /** The newest build of each name: what counts for the pipeline's state. */
    public List<Build> latestBuilds() {
        return builds.stream().filter(build -> !build.isRetried()).toList();
    }

    public CiStatus status() {
        return status;
    }

    /** True if this is a change. */
    public boolean become(CiStatus newStatus, Instant now) {
        if (status == newStatus) {
            return false;
        }
        status = newStatus;
        updatedAt = now;
        if (newStatus == CiStatus.RUNNING && startedAt == null) {
            startedAt = now;
        }
        finishedAt = newStatus.isComplete() ? now : null;
        return true;
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Instant updatedAt() {
        return updatedAt;
    }

    public @Nullable Instant startedAt() {
        return startedAt;
    }

    public @Nullable Instant finishedAt() {
        return finishedAt;
    }
}
