package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.Waiting;
import dev.mayfly.demo.bench.BareJob.Steps;
import dev.mayfly.demo.bench.ControlPlaneRecords.JobRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Many jobs over many hosts that play their VMs: from the pushes until nothing is left. Everything else is real, and on
 * this machine; so how many jobs a second there are tells of the machine, and what each costs tells of Mayfly.
 */
final class FleetFigures implements AutoCloseable {

    /** GitLab's limit for {@code parallel}. */
    private static final int MOST_PARALLEL = 200;

    private static final String TEMPORAL = "Temporal";
    private static final int WARM_UP = 20;
    private static final int LEAST_BARE = 100;
    private static final int BARE_SHARE = 4;
    private static final int SAMPLE = 40;
    private static final double MOST_TIMES_BARE = 1.25;
    /** For each job; a slow machine's. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Duration LEAST_PATIENCE = Duration.ofMinutes(5);

    private final DemoCluster cluster;
    private final Consumer<String> progress;
    private final ControlPlaneRecords records;

    FleetFigures(DemoCluster cluster, Consumer<String> progress) {
        this.cluster = cluster;
        this.progress = progress;
        this.records = new ControlPlaneRecords(cluster.database());
    }

    /**
     * What came out.
     *
     * @param cpu milliseconds for each job, by process
     * @param growth what it was like after an eighth, a quarter, half and all of the jobs
     */
    record Result(Measurement lives, Map<String, Double> cpu, List<Growth> growth, List<Goal> goals) {}

    Result run(int jobs) {
        progress.accept("warm-up: %d jobs, not counted".formatted(WARM_UP));
        push("warm-up", WARM_UP);
        awaitDone(WARM_UP);
        Map<String, Double> before = cpuSeconds();
        long begin = System.nanoTime();
        Growths growths = new Growths(jobs, before, begin);
        for (int pushed = 0; pushed < jobs; pushed += MOST_PARALLEL) {
            push("fleet-" + pushed, Math.min(MOST_PARALLEL, jobs - pushed));
        }
        Waiting.until(
                "%d jobs are done".formatted(jobs), patience(jobs), () -> growths.see(records.jobsDone() - WARM_UP));
        double seconds = (System.nanoTime() - begin) / 1e9;
        Map<String, Double> cpu = each(jobs, before, cpuSeconds());
        int left = cluster.awaitNothingLeft(LEAST_PATIENCE).asMap().values().stream()
                .mapToInt(Integer::intValue)
                .sum();

        int bare = Math.max(LEAST_BARE, jobs / BARE_SHARE);
        double bareCpu = bareCpu(bare);
        double ours = ofTemporal(cpu);
        cpu.put("    floor: a bare workflow in Temporal, as many activities, upserts and signals", bareCpu);

        int all = WARM_UP + jobs;
        return new Result(
                new Measurement(
                        "a job from the queue until nothing of it is left",
                        "the control plane's records",
                        Distribution.of(records.lives()),
                        null,
                        null),
                cpu,
                growths.seen,
                List.of(
                        Goal.atMost(
                                "Temporal's CPU for a job, times that of a bare workflow",
                                ours / bareCpu,
                                MOST_TIMES_BARE,
                                "x"),
                        Goal.atLeast("jobs that succeeded", records.count("job where outcome = 'SUCCEEDED'"), all, ""),
                        Goal.atMost(
                                "VMs that were handed a job",
                                records.count("slot where claimed_by is not null"),
                                all,
                                ""),
                        Goal.atMost(
                                "slots that the sweeper took",
                                records.count("slot where released_by = 'sweeper'"),
                                0,
                                ""),
                        Goal.atMost("what is left in the end", left, 0, ""),
                        Goal.atLeast("    jobs a second on this machine, all servers on it", jobs / seconds, 0, "/s")));
    }

    private void push(String name, int jobs) {
        long project = cluster.createProject(name);
        cluster.gitlabUser().push(LaunchLatency.repository(cluster, name, """
                many:
                  parallel: %d
                  tags: [actuated-1cpu-1gb, shell]
                  script: [echo played]
                """.formatted(jobs)), project);
    }

    private void awaitDone(int jobs) {
        Waiting.until("%d jobs are done".formatted(jobs), patience(jobs), () -> records.jobsDone() >= jobs);
    }

    private static Duration patience(int jobs) {
        return PATIENCE.multipliedBy(jobs).plus(LEAST_PATIENCE);
    }

    /** Watches the jobs end, says so after each tenth, and takes figures whenever their number has doubled. */
    private final class Growths {

        private static final int SAID = 10;

        private final int jobs;
        private final List<Growth> seen = new ArrayList<>();
        private Map<String, Double> cpu;
        private long since;
        private int jobsThen;
        private int next;
        private int said;

        Growths(int jobs, Map<String, Double> cpu, long since) {
            this.jobs = jobs;
            this.cpu = cpu;
            this.since = since;
            this.next = (jobs + 7) / 8;
        }

        /** Whether all are done. */
        boolean see(int done) {
            if (done - said >= jobs / SAID) {
                said = done;
                progress.accept("%d of %d jobs are done".formatted(done, jobs));
            }
            if (done >= next && done > jobsThen) {
                take(done);
                next = Math.min(2 * next, jobs);
            }
            return done >= jobs;
        }

        private void take(int done) {
            Map<String, Double> cpuNow = cpuSeconds();
            long now = System.nanoTime();
            Map<String, Double> memory = new LinkedHashMap<>();
            cluster.processes().forEach((name, pid) -> memory.put(name, new ProcessFacts(pid).proportionalMib()));
            int more = done - jobsThen;
            Growth growth = new Growth(done, more / ((now - since) / 1e9), each(more, cpu, cpuNow), memory);
            seen.add(growth);
            progress.accept(growth.toString());
            cpu = cpuNow;
            since = now;
            jobsThen = done;
        }
    }

    /** Of Temporal alone, in milliseconds for each. */
    private double bareCpu(int count) {
        try (BareJobs bare = new BareJobs(cluster)) {
            Steps steps = bare.meanStepsOf(sample());
            progress.accept("%d bare workflows of %s".formatted(count, steps));
            bare.run(LEAST_BARE / 2, steps); // warm-up
            Map<String, Double> before = cpuSeconds();
            bare.run(count, steps);
            return ofTemporal(each(count, before, cpuSeconds()));
        }
    }

    /** With its database, where that is a process of its own. */
    private static double ofTemporal(Map<String, Double> cpu) {
        return cpu.entrySet().stream()
                .filter(one -> one.getKey().startsWith(TEMPORAL))
                .mapToDouble(Map.Entry::getValue)
                .sum();
    }

    /** Some of all jobs, evenly spread: those that exchanged slots have more steps. */
    private List<String> sample() {
        List<JobRecord> jobs = records.jobs();
        return IntStream.range(0, SAMPLE)
                .mapToObj(i -> jobs.get(i * jobs.size() / SAMPLE).workflowId())
                .toList();
    }

    private Map<String, Double> cpuSeconds() {
        Map<String, Double> seconds = new LinkedHashMap<>();
        cluster.processes().forEach((name, pid) -> seconds.put(name, new ProcessFacts(pid).cpuSeconds()));
        return seconds;
    }

    private static Map<String, Double> each(int jobs, Map<String, Double> before, Map<String, Double> after) {
        Map<String, Double> millis = new LinkedHashMap<>();
        after.forEach((name, seconds) -> millis.put(name, (seconds - before.getOrDefault(name, 0.0)) * 1000 / jobs));
        return millis;
    }

    @Override
    public void close() {
        records.close();
    }
}
