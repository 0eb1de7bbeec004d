package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.JsonApi;
import dev.mayfly.demo.SampleProject;
import dev.mayfly.demo.Servers;
import dev.mayfly.demo.Waiting;
import dev.mayfly.demo.bench.ControlPlaneRecords.JobRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * From a webhook to the launch command on the host: many pipelines of one short job against the simulated driver. A job
 * and an empty workflow take turns, each arriving when the other is over and a while has passed: neither waits for room or
 * for the other, and whatever else the machine does meets both alike.
 */
final class LaunchLatency implements AutoCloseable {

    private static final int MOST_WARM_UP = 100;
    private static final int SHOW_EVERY = 50;
    private static final int LEAST_PAUSE_MILLIS = 50;
    private static final int MOST_PAUSE_MILLIS = 250;
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String PIPELINE = """
            short:
              tags: [actuated-0.25cpu-256mb, shell]
              variables: {GIT_STRATEGY: none}
              script: [echo simulated]
            """;

    private final DemoCluster cluster;
    private final Floor floor;
    private final Consumer<String> progress;
    private final JsonApi gitlab;
    private final ControlPlaneRecords records;
    private final long project;
    private final HookDeliveries deliveries;
    private final List<Floor.Way> floors = new ArrayList<>();
    private final Random random = new Random(0);
    private int jobs = 1;

    /**
     * What came out.
     *
     * @param steps the parts of a launch's way, in order
     */
    record Result(Measurement answered, Measurement launched, List<Measurement> steps) {}

    LaunchLatency(DemoCluster cluster, Floor floor, Consumer<String> progress) {
        this.cluster = cluster;
        this.floor = floor;
        this.progress = progress;
        this.gitlab = cluster.gitlabUser().api();
        this.records = new ControlPlaneRecords(cluster.database());
        this.project = cluster.createProject("short");
        cluster.gitlabUser().push(repository(cluster, "short", PIPELINE), project);
        this.deliveries = new HookDeliveries(gitlab, project);
    }

    /** A repository of this name with this {@code .gitlab-ci.yml} and nothing else. */
    static Path repository(DemoCluster cluster, String name, String pipeline) {
        Path files = cluster.options().work().resolve("repositories").resolve(name);
        Servers.write(files.resolve("files/.gitlab-ci.yml"), pipeline);
        return SampleProject.repositoryOf(files.resolve("files"), files.resolve("repository"));
    }

    Result run(int runs) {
        int warmUp = Math.min(runs, MOST_WARM_UP);
        progress.accept("warm-up: %d jobs, not counted".formatted(warmUp));
        takeTurns(warmUp);
        floors.clear();
        deliveries.clear();
        int uncounted = jobs;
        for (int done = 0; done < runs; done += SHOW_EVERY) {
            takeTurns(Math.min(SHOW_EVERY, runs - done));
            progress.accept("webhook → launch: %d of %d".formatted(jobs - uncounted, runs));
        }
        return result(records.jobs().subList(uncounted, jobs));
    }

    private void takeTurns(int count) {
        for (int i = 0; i < count; i++) {
            pause();
            gitlab.post("/api/v4/projects/%d/pipeline".formatted(project), Map.of("ref", "main"));
            jobs++;
            Waiting.until("all %d jobs are done".formatted(jobs), PATIENCE, () -> records.jobsDone() == jobs);
            pause();
            floors.add(floor.measure());
        }
        deliveries.collect();
    }

    /** The arrivals' spacing; random, so that it keeps step with nothing periodic in the servers. */
    private void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(random.nextInt(LEAST_PAUSE_MILLIS, MOST_PAUSE_MILLIS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted between arrivals", e);
        }
    }

    private Result result(List<JobRecord> measured) {
        Map<String, Instant> asked = new AgentLog(cluster.files().log("agent-1")).firstTimes(AgentLog.ASKED);
        List<Floor.Way> ways =
                measured.stream().map(job -> way(job, asked.get(job.slotId()))).toList();
        Measurement answered = new Measurement(
                "webhook → 200",
                "as GitLab measured it, over its own TLS connections",
                Distribution.of(deliveries.times()),
                null,
                null);
        Measurement launched = new Measurement(
                "webhook received → launch command on the host",
                "inbox.received_at → the agent's log, simulated driver",
                Distribution.of(ways.stream().map(Floor.Way::whole).toList()),
                Floor.IS,
                Distribution.of(floors.stream().map(Floor.Way::whole).toList()));
        return new Result(answered, launched, steps(ways));
    }

    private Floor.Way way(JobRecord job, @Nullable Instant launched) {
        Instant received = job.received();
        if (received == null || launched == null) {
            throw new IllegalStateException("job %d in slot %s: webhook stored at %s, launched at %s"
                    .formatted(job.jobId(), job.slotId(), received, launched));
        }
        LaunchHistory history = LaunchHistory.of(floor.client(), job.workflowId(), "launch");
        return new Floor.Way(Duration.between(received, launched), history.steps(received, launched));
    }

    private List<Measurement> steps(List<Floor.Way> ways) {
        List<Measurement> steps = new ArrayList<>();
        for (int i = 0; i < LaunchHistory.STEPS.size(); i++) {
            steps.add(new Measurement(
                    LaunchHistory.STEPS.get(i), "Temporal's history", step(ways, i), "the same step", step(floors, i)));
        }
        return steps;
    }

    private static Distribution step(List<Floor.Way> ways, int number) {
        return Distribution.of(ways.stream().map(way -> way.steps().get(number)).toList());
    }

    @Override
    public void close() {
        records.close();
    }
}
