package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.workflows.FakeFleet.Slot;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.activity.QueueActivities;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobOutcome.Result;
import dev.mayfly.workflows.job.VmSize;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.failure.CanceledFailure;
import io.temporal.testing.TestEnvironmentOptions;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerOptions;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/** A Temporal of its own with the real workflow, a fake fleet, and hosts whose workers can be away. */
final class Rig implements AutoCloseable {

    /** Real seconds: time is not skipped while a call to a host is pending. */
    static final Timeouts TIMEOUTS = new Timeouts(
            Duration.ofSeconds(2),
            Duration.ofSeconds(20),
            Duration.ofSeconds(2),
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            Duration.ofSeconds(20),
            Duration.ofSeconds(20),
            Duration.ofMinutes(5),
            Duration.ofHours(1),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            Duration.ofMillis(500));

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    final FakeFleet fleet = new FakeFleet();
    final TestWorkflowEnvironment env;
    private final Worker control;
    private final List<CiJob> started = new ArrayList<>();

    /** Hosts {@code h1}, {@code h2}, … with so much room each. */
    Rig(int... rooms) {
        this(TIMEOUTS, rooms);
    }

    Rig(Timeouts timeouts, int... rooms) {
        var builder = TestEnvironmentOptions.newBuilder()
                .setWorkflowClientOptions(WorkflowClientOptions.newBuilder()
                        .setIdentity("rig") // else histories name the machine that they were recorded on
                        .build());
        SearchAttributes.ALL.forEach(key -> builder.registerSearchAttribute(key.getName(), key.getValueType()));
        env = TestWorkflowEnvironment.newInstance(builder.build());
        control = env.newWorker(
                TaskQueues.CONTROL,
                WorkerOptions.newBuilder()
                        .setDefaultDeadlockDetectionTimeout(20_000) // a cold or busy machine is no deadlock
                        .build());
        Workflows.register(control, timeouts);
        control.registerActivitiesImplementations(fleet, fleet.gitlab, (QueueActivities) job -> fleet.why(job));
        for (int room : rooms) {
            fleet.host("h" + (fleet.hosts.size() + 1), room).appear(env.getWorkflowClient());
        }
        env.start();
    }

    static CiJob job(long id, String... tags) {
        return new CiJob(
                new JobKey("main", 42, id),
                "group/app",
                "test",
                "test",
                "main",
                "8a1c9b7e6d5f4c3b2a19087f6e5d4c3b2a190817",
                900,
                "https://gitlab.example/group/app/-/jobs/" + id,
                "ada",
                tags.length == 0 ? List.of("actuated-4cpu-8gb", "shell") : List.of(tags),
                VmSize.of(4000, 8192, 10240),
                Executor.SHELL,
                List.of());
    }

    CiJob start(long id) {
        return start(job(id));
    }

    CiJob start(CiJob job) {
        WorkflowClient.start(toStart(job)::run, job);
        return job;
    }

    /** A workflow as the control plane starts one, not started yet. */
    CiJobWorkflow toStart(CiJob job) {
        started.add(job);
        var options = JobOptions.of(job, OffsetDateTime.now(ZoneOffset.UTC));
        return env.getWorkflowClient().newWorkflowStub(CiJobWorkflow.class, options);
    }

    CiJobWorkflow workflow(CiJob job) {
        return env.getWorkflowClient()
                .newWorkflowStub(CiJobWorkflow.class, job.key().workflowId());
    }

    WorkflowStub stub(CiJob job) {
        return env.getWorkflowClient().newUntypedWorkflowStub(job.key().workflowId());
    }

    /** What the outbox does after an exchange: every job that runs is told what it holds. */
    void tellAll() {
        for (CiJob job : started) {
            Slot slot = fleet.heldBy(job.key());
            if (slot != null) {
                workflow(job).holding(slot.holding(), null);
            }
        }
    }

    JobOutcome result(CiJob job) {
        try {
            return stub(job).getResult(PATIENCE.toSeconds(), TimeUnit.SECONDS, JobOutcome.class);
        } catch (TimeoutException e) {
            throw new AssertionError(
                    job.key() + " does not end.\n" + workflow(job).progress() + fleet.calls.log(), e);
        }
    }

    /** Waits until the job waits for its claim in some slot, and returns that slot. */
    Slot claiming(CiJob job) {
        return waiting(job, false);
    }

    Slot running(CiJob job) {
        return waiting(job, true);
    }

    private Slot waiting(CiJob job, boolean run) {
        until(job.key() + (run ? " runs" : " waits for its claim"), () -> {
            Slot slot = fleet.heldBy(job.key());
            return slot != null && slot.host.isWaited(slot.id, run);
        });
        return Objects.requireNonNull(fleet.heldBy(job.key()));
    }

    /** GitLab hands the slot this job, and the job runs. */
    Slot claimedAndRunning(CiJob job) {
        fleet.claimed(claiming(job).id, job);
        return running(job);
    }

    /** The job, which runs, succeeds. */
    JobOutcome succeed(CiJob job) {
        Slot slot = running(job);
        fleet.gitlab.set(job.key(), "success", At.OUR_RUNNER);
        fleet.runEnds(slot.id, Ran.End.SUCCEEDED);
        return result(job);
    }

    FakeHost host(String id) {
        return Objects.requireNonNull(fleet.hosts.get(id));
    }

    void away(String hostId) {
        host(hostId).vanish();
    }

    void back(String hostId) {
        host(hostId).appear(env.getWorkflowClient());
    }

    /** The control plane's worker stops, with workflows and activities. */
    void controlPlaneAway() {
        control.suspendPolling();
    }

    void controlPlaneBack() {
        control.resumePolling();
    }

    void cancel(CiJob job) {
        stub(job).cancel();
    }

    /** Whether the workflow needs people, as Temporal's UI would find it. */
    boolean needsAttention(CiJob job) {
        return Boolean.TRUE.equals(
                stub(job).describe().getTypedSearchAttributes().get(SearchAttributes.NEEDS_ATTENTION));
    }

    void untilLogged(String entry) {
        untilLogged(entry, 1);
    }

    void untilLogged(String entry, int times) {
        until(entry + ", " + times + " times", () -> fleet.calls.count(entry) >= times);
    }

    void untilTold(CiJob job, String part) {
        until("the story says " + part, () -> workflow(job).progress().contains(part));
    }

    /** Waits for a condition. */
    void until(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                String stories =
                        started.stream().map(job -> workflow(job).progress()).reduce("", String::concat);
                throw new AssertionError("never came: %s%n%s%n%s".formatted(what, stories, fleet.calls.log()));
            }
            try {
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while waiting for " + what, e);
            }
        }
    }

    /** The job ends so, its row and its story say so, and nothing is left of any job. */
    JobOutcome assertEnds(CiJob job, Result result) {
        JobOutcome outcome = result(job);
        assertThat(outcome.result()).as(job.title()).isEqualTo(result);
        assertTold(job, outcome);
        assertNothingLeft();
        return outcome;
    }

    /** An administrator's cancel ended the workflow: row and story say so, and nothing is left of any job. */
    void assertEndsCancelled(CiJob job) {
        JobOutcome outcome = assertClosesAsCancelled(job, Result.ENDED_IN_GITLAB);
        assertThat(outcome.detail()).isEqualTo("cancelled in Temporal");
    }

    /** Temporal closes every workflow as cancelled that a cancel was asked for, however its job ended. */
    JobOutcome assertClosesAsCancelled(CiJob job, Result result) {
        assertThatThrownBy(() -> result(job)).hasCauseInstanceOf(CanceledFailure.class);
        assertThat(stub(job).describe().getStatus())
                .isEqualTo(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED);
        JobOutcome outcome = Objects.requireNonNull(fleet.outcomes.get(job.key()));
        assertThat(outcome.result()).isEqualTo(result);
        assertTold(job, outcome);
        assertNothingLeft();
        return outcome;
    }

    private void assertTold(CiJob job, JobOutcome outcome) {
        String slug = JobOutcome.slug(outcome.result());
        assertThat(fleet.outcomes).containsEntry(job.key(), outcome);
        assertThat(fleet.notesOf(job)).last().isEqualTo("done");
        assertThat(workflow(job).progress()).contains(slug + ": " + outcome.detail());
        var attributes = stub(job).describe().getTypedSearchAttributes();
        assertThat(attributes.get(SearchAttributes.OUTCOME)).isEqualTo(slug);
        assertThat(attributes.get(SearchAttributes.PHASE)).isEqualTo("done");
        assertThat(attributes.get(SearchAttributes.NEEDS_ATTENTION)).isFalse();
    }

    void assertNothingForbidden() {
        assertThat(fleet.damage).isEmpty();
    }

    /** What was created is gone again, and nothing forbidden happened. */
    void assertNothingLeft() {
        assertNothingForbidden();
        assertThat(fleet.leftOver()).isEmpty();
        assertThat(fleet.gitlab.runnersRemoved).isEqualTo(fleet.gitlab.runnersCreated);
    }

    @Override
    public void close() {
        fleet.calls.openAll();
        fleet.hosts.values().forEach(FakeHost::close);
        env.close();
    }
}
