package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.FakeFleet.Slot;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.VmSize;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.testing.TestEnvironmentOptions;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactoryOptions;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    final Map<String, Worker> workers = new HashMap<>();
    private final List<CiJob> started = new ArrayList<>();

    /** Hosts {@code h1}, {@code h2}, … with so much room each. */
    Rig(int... rooms) {
        this(TIMEOUTS, WorkerFactoryOptions.getDefaultInstance(), rooms);
    }

    Rig(Timeouts timeouts, WorkerFactoryOptions options, int... rooms) {
        var builder = TestEnvironmentOptions.newBuilder().setWorkerFactoryOptions(options);
        SearchAttributes.ALL.forEach(key -> builder.registerSearchAttribute(key.getName(), key.getValueType()));
        env = TestWorkflowEnvironment.newInstance(builder.build());
        Worker control = env.newWorker(TaskQueues.CONTROL);
        Workflows.register(control, timeouts);
        control.registerActivitiesImplementations(fleet);
        for (int i = 0; i < rooms.length; i++) {
            FakeHost host = fleet.host("h" + (i + 1), rooms[i]);
            for (String queue : List.of(TaskQueues.host(host.id), TaskQueues.hostWait(host.id))) {
                Worker worker = env.newWorker(queue);
                worker.registerActivitiesImplementations(host);
                workers.put(queue, worker);
            }
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
                new VmSize(4000, 8192, 10240),
                Executor.SHELL);
    }

    CiJob start(long id) {
        CiJob job = job(id);
        started.add(job);
        var options = WorkflowOptions.newBuilder()
                .setWorkflowId(job.key().workflowId())
                .setTaskQueue(TaskQueues.CONTROL)
                .setTypedSearchAttributes(SearchAttributes.of(job, OffsetDateTime.now(ZoneOffset.UTC)))
                .build();
        WorkflowClient.start(env.getWorkflowClient().newWorkflowStub(CiJobWorkflow.class, options)::run, job);
        return job;
    }

    CiJobWorkflow workflow(CiJob job) {
        return env.getWorkflowClient()
                .newWorkflowStub(CiJobWorkflow.class, job.key().workflowId());
    }

    WorkflowStub stub(CiJob job) {
        return env.getWorkflowClient().newUntypedWorkflowStub(job.key().workflowId());
    }

    void signalHolding(CiJob job) {
        Slot slot = fleet.heldBy(job.key());
        workflow(job)
                .holding(slot == null ? fleet.slots.values().iterator().next().holding() : slot.holding());
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
        fleet.setInGitLab(job.key(), "success", At.OUR_RUNNER);
        fleet.runEnds(slot.id, Ran.End.SUCCEEDED);
        return result(job);
    }

    void away(String hostId) {
        Objects.requireNonNull(workers.get(TaskQueues.host(hostId))).suspendPolling();
        Objects.requireNonNull(workers.get(TaskQueues.hostWait(hostId))).suspendPolling();
    }

    void back(String hostId) {
        Objects.requireNonNull(workers.get(TaskQueues.host(hostId))).resumePolling();
        Objects.requireNonNull(workers.get(TaskQueues.hostWait(hostId))).resumePolling();
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

    /** Nothing is left, and nothing forbidden happened. */
    void assertNothingLeft() {
        assertThat(fleet.damage).isEmpty();
        assertThat(fleet.leftOver()).isEmpty();
    }

    @Override
    public void close() {
        fleet.calls.openAll();
        env.close();
    }
}
