package dev.mayfly.testkit.gitlab.model;

import dev.mayfly.testkit.gitlab.ci.JobSeed;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One run of a job; a retry is another build. Guarded by the instance's lock. */
public final class Build {
    private final long id;
    private final Pipeline pipeline;
    private final JobSeed seed;
    private final List<String> tags;
    private final int retriesCount;
    private final String token;
    private final Path trace;
    private final Instant createdAt;
    private final List<Artifact> artifacts = new ArrayList<>();
    private final List<CiVariable> playVariables = new ArrayList<>();
    private CiStatus status = CiStatus.CREATED;
    private User user;
    private String when;
    private boolean allowFailure;
    private boolean retried;
    private @Nullable String failureReason;
    private @Nullable Integer exitCode;
    private @Nullable Runner runner;
    private @Nullable RunnerManager manager;
    private boolean gracefullyCancelable;
    private @Nullable Instant queuedAt;
    private @Nullable Instant startedAt;
    private @Nullable Instant finishedAt;
    private @Nullable Instant erasedAt;
    private @Nullable Instant acknowledgeUntil;
    private @Nullable Instant scheduledAt;
    private Instant updatedAt;

    public Build(
            long id,
            Pipeline pipeline,
            JobSeed seed,
            List<String> tags,
            int retriesCount,
            String token,
            Path trace,
            Instant now) {
        this.id = id;
        this.pipeline = pipeline;
        this.seed = seed;
        this.tags = List.copyOf(tags);
        this.retriesCount = retriesCount;
        this.token = token;
        this.trace = trace;
        this.createdAt = now;
        this.updatedAt = now;
        this.when = seed.when();
        this.allowFailure = seed.allowFailure();
        this.user = pipeline.cause().user();
    }

    /** Waits for a runner from now on. */
    public void enqueue(Instant now) {
        status = CiStatus.PENDING;
        queuedAt = now;
        updatedAt = now;
        scheduledAt = null;
    }

    /** Any status that neither starts nor ends it. */
    public void become(CiStatus newStatus, Instant now) {
        status = newStatus;
        updatedAt = now;
    }

    public void schedule(Instant at, Instant now) {
        become(CiStatus.SCHEDULED, now);
        scheduledAt = at;
    }

    /** A runner has it; it runs only once the runner has said so, which it must before {@code until}. */
    public void assign(
            Runner toRunner, RunnerManager toManager, boolean gracefully, @Nullable Instant until, Instant now) {
        runner = toRunner;
        manager = toManager;
        gracefullyCancelable = gracefully;
        acknowledgeUntil = until;
        updatedAt = now;
    }

    public void acknowledge(Instant until) {
        acknowledgeUntil = until;
    }

    public void start(Instant now) {
        status = CiStatus.RUNNING;
        startedAt = now;
        updatedAt = now;
        acknowledgeUntil = null;
    }

    public void finish(CiStatus end, @Nullable String reason, @Nullable Integer code, Instant now) {
        status = end;
        failureReason = reason;
        exitCode = code;
        finishedAt = now;
        updatedAt = now;
        acknowledgeUntil = null;
    }

    /** Back to {@code created}: a skipped build whose need is run again. */
    public void reset(Instant now) {
        become(CiStatus.CREATED, now);
        finishedAt = null;
    }

    public void touch(Instant now) {
        updatedAt = now;
    }

    public void markRetried() {
        retried = true;
    }

    public void play(User by, List<CiVariable> variables) {
        user = by;
        when = "on_success";
        playVariables.addAll(variables);
    }

    public void runBy(User by) {
        user = by;
    }

    public void allowFailure(boolean allow) {
        allowFailure = allow;
    }

    public void erase(Instant now) {
        artifacts.clear();
        erasedAt = now;
    }

    public void forgetRunner() {
        runner = null;
        manager = null;
    }

    public long id() {
        return id;
    }

    public Pipeline pipeline() {
        return pipeline;
    }

    public Project project() {
        return pipeline.project();
    }

    public JobSeed seed() {
        return seed;
    }

    public String name() {
        return seed.name();
    }

    public List<String> tags() {
        return tags;
    }

    public int retriesCount() {
        return retriesCount;
    }

    public String token() {
        return token;
    }

    /** A token works while its build runs, or is claimed and about to. */
    public boolean isTokenValid() {
        return status == CiStatus.RUNNING || status == CiStatus.CANCELING || isClaimed();
    }

    /** Two-phase commit: a runner has it, but hasn't said that it runs it. */
    public boolean isClaimed() {
        return status == CiStatus.PENDING && acknowledgeUntil != null;
    }

    public Path trace() {
        return trace;
    }

    public List<Artifact> artifacts() {
        return artifacts;
    }

    public List<CiVariable> playVariables() {
        return playVariables;
    }

    public CiStatus status() {
        return status;
    }

    public User user() {
        return user;
    }

    public String when() {
        return when;
    }

    public boolean isAllowedToFail() {
        return allowFailure;
    }

    public boolean isRetried() {
        return retried;
    }

    public @Nullable String failureReason() {
        return failureReason;
    }

    public @Nullable Integer exitCode() {
        return exitCode;
    }

    public @Nullable Runner runner() {
        return runner;
    }

    public @Nullable RunnerManager manager() {
        return manager;
    }

    public boolean isGracefullyCancelable() {
        return gracefullyCancelable;
    }

    public Instant createdAt() {
        return createdAt;
    }

    public @Nullable Instant queuedAt() {
        return queuedAt;
    }

    public @Nullable Instant startedAt() {
        return startedAt;
    }

    public @Nullable Instant finishedAt() {
        return finishedAt;
    }

    public @Nullable Instant erasedAt() {
        return erasedAt;
    }

    public @Nullable Instant acknowledgeUntil() {
        return acknowledgeUntil;
    }

    public @Nullable Instant scheduledAt() {
        return scheduledAt;
    }

    public Instant updatedAt() {
        return updatedAt;
    }
}
