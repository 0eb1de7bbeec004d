package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;

/**
 * Gives a system test its cluster. Clusters of the same kind are shared by all test classes of a process and closed after
 * the last; a test that crashes a part of it brings that part up again. After each test nothing may be left, on the machine
 * and by the ledger. A test that fails may have left anything: the next gets a new cluster.
 */
final class ClusterExtension implements BeforeEachCallback, AfterEachCallback {

    private static final Duration LEFT_NOTHING = Duration.ofMinutes(3);
    /** From a push to a script's first line, when both cores are busy with other VMs. */
    private static final Duration VM_AND_SCRIPT = Duration.ofMinutes(3);

    private static final int HOSTS = 2;
    private static final AtomicInteger PROJECTS = new AtomicInteger();
    /** How long a host may be silent. */
    static final Duration LOST_AFTER = Duration.ofMinutes(1);

    /** Short times, so that a hazard's end is reached in seconds. */
    private static final DemoOptions.Times TIMES = new DemoOptions.Times(
            Map.of(
                    "hostAnswers",
                    "8s",
                    "hostReturns",
                    "60s",
                    "heartbeat",
                    "10s",
                    "recheck",
                    "10s",
                    "pause",
                    "2s", //
                    "patience",
                    "5s"),
            Map.of(
                    "renewEvery",
                    "1s",
                    "suspectAfter",
                    "4s",
                    "fenceAfter",
                    "20s",
                    "lostAfter",
                    LOST_AFTER.toSeconds() + "s"),
            Map.of("every", "5s", "agreeAfter", "5s", "olderThan", "10s"),
            Map.of("agentGone", "50s"),
            Map.of("boot", "1s"));

    private final String kind;
    private final int templates;
    private final boolean twoPhase;
    private @Nullable DemoCluster cluster;

    private ClusterExtension(String kind, int templates, boolean twoPhase) {
        this.kind = kind;
        this.templates = templates;
        this.twoPhase = twoPhase;
    }

    /** Two hosts with real VMs. */
    static ClusterExtension realVms() {
        return new ClusterExtension("qemu", 0, true);
    }

    /** As {@link #realVms()}, which are clones of templates once there are any. */
    static ClusterExtension realVmsOfTemplates() {
        return new ClusterExtension("qemu", 2, true);
    }

    /** Two hosts that play the jobs: for hazards that are in no VM. */
    static ClusterExtension simulatedVms() {
        return new ClusterExtension("simulated", 0, true);
    }

    /** As {@link #simulatedVms()}, with a GitLab that lets a claimed job run at once. */
    static ClusterExtension simulatedVmsOnOldGitLab() {
        return new ClusterExtension("simulated", 0, false);
    }

    /** Two hosts with real VMs, with a GitLab that lets a claimed job run at once. */
    static ClusterExtension realVmsOnOldGitLab() {
        return new ClusterExtension("qemu", 0, false);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        cluster = clusters(context)
                .getOrComputeIfAbsent(kindOfCluster(), kind -> new Shared(start()), Shared.class)
                .cluster();
    }

    /** Of this process: Failsafe runs each test class by itself, within one session. */
    private static Store clusters(ExtensionContext context) {
        return context.getStore(StoreScope.LAUNCHER_SESSION, Namespace.create(ClusterExtension.class));
    }

    private String kindOfCluster() {
        return kind + " templates=" + templates + " twoPhase=" + twoPhase;
    }

    private DemoCluster start() {
        Path work = Servers.temporaryFolder("mayfly-it-");
        DemoOptions options = new DemoOptions(work, HOSTS, kind, templates, false, twoPhase, 0, 0, TIMES);
        return DemoCluster.start(options, line -> System.out.println("[" + kind + "] " + line));
    }

    @Override
    public void afterEach(ExtensionContext context) {
        boolean clean = false;
        try {
            if (context.getExecutionException().isEmpty()) {
                nothingIsLeft();
                clean = true;
            }
        } finally {
            if (!clean) {
                Objects.requireNonNull(clusters(context).remove(kindOfCluster(), Shared.class))
                        .close();
            }
        }
    }

    private void nothingIsLeft() {
        assertThat(cluster().awaitNothingLeft(LEFT_NOTHING).asMap())
                .as("what is left after the test")
                .allSatisfy((what, count) -> assertThat(count).as(what).isZero());
        assertThat(LedgerBalance.await(cluster(), LEFT_NOTHING).faults())
                .as("the ledger after the test")
                .isEmpty();
        LogLines logs = new LogLines(cluster());
        assertThat(logs.with("host")).as("lines of the agents' logs").isPositive();
        assertThat(logs.withoutTheirFields())
                .as("lines of the log that name a job, VM or host and don't have it as a field")
                .isEmpty();
    }

    DemoCluster cluster() {
        return Objects.requireNonNull(cluster, "the cluster is started before the first test");
    }

    /** Pushes a repository with this {@code .gitlab-ci.yml} into a project of its own. */
    PipelineRun push(String ciYaml, Map<String, String> files) {
        return push(createProject(), ciYaml, files);
    }

    PipelineRun push(long project, String ciYaml) {
        return push(project, ciYaml, Map.of());
    }

    private PipelineRun push(long project, String ciYaml, Map<String, String> files) {
        return pushInto(project, repository(ciYaml, files));
    }

    /** One commit with this {@code .gitlab-ci.yml} and these files. */
    static Path repository(String ciYaml, Map<String, String> files) {
        Path folder = Servers.temporaryFolder("mayfly-repo-");
        Servers.write(folder.resolve("source/.gitlab-ci.yml"), ciYaml);
        files.forEach((name, text) -> Servers.write(folder.resolve("source").resolve(name), text));
        return SampleProject.repositoryOf(folder.resolve("source"), folder.resolve("repository"));
    }

    /** A project that tells the control plane of its jobs. */
    long createProject() {
        return cluster().createProject("project-" + PROJECTS.incrementAndGet());
    }

    PipelineRun pushInto(long project, Path repository) {
        return PipelineRun.push(cluster(), project, repository);
    }

    PipelineRun push(String ciYaml) {
        return push(ciYaml, Map.of());
    }

    /** Waits until the job is as wanted, and returns it. */
    static JobState await(
            PipelineRun run, String job, String wanted, Duration patience, Predicate<JobState> condition) {
        JobState[] last = new JobState[1];
        try {
            Waiting.until(job + " " + wanted, patience, () -> {
                last[0] = run.job(job);
                return condition.test(last[0]);
            });
        } catch (AssertionError e) {
            String log = last[0] == null ? "" : run.log(last[0]);
            throw new AssertionError("%s; it is %s; its log: %s".formatted(e.getMessage(), last[0], log), e);
        }
        return last[0];
    }

    /** Waits until the job runs and its log holds this text, which its script printed. */
    static JobState awaitLog(PipelineRun run, String job, String text) {
        return await(
                run,
                job,
                "has printed " + text.strip(),
                VM_AND_SCRIPT,
                state -> state.status().equals("running") && run.log(state).contains(text));
    }

    /** From its start to its end, as GitLab has them. */
    static Duration timeOf(JobState ended) {
        return Duration.between(
                Instant.parse(ended.inGitLab().get("started_at").asText()),
                Instant.parse(ended.inGitLab().get("finished_at").asText()));
    }

    /** What the group of this pattern, over whole lines, is in the job's log. */
    static String inLog(PipelineRun run, JobState job, String pattern) {
        String log = run.log(job);
        Matcher found = Pattern.compile("(?m)^" + pattern + "$").matcher(log);
        assertThat(found.find())
                .as("%s in the log of %s: %s", pattern, job.name(), log)
                .isTrue();
        return found.group(1);
    }

    /** Waits until Mayfly is in this phase of its work for the job. */
    static JobState awaitPhase(PipelineRun run, String job, String phase) {
        return await(
                run, job, "is " + phase, Duration.ofSeconds(90), state -> phase.equalsIgnoreCase(state.text("phase")));
    }

    /** Waits until GitLab shows this status; a job that has ended otherwise is waited for no longer. */
    static JobState awaitStatus(PipelineRun run, String job, String status, Duration patience) {
        return await(run, job, "is " + status, patience, state -> {
            boolean otherwise = state.hasEnded() && !state.status().equals(status);
            if (otherwise) {
                throw new AssertionError("%s was to be %s; its log: %s".formatted(state, status, run.log(state)));
            }
            return state.status().equals(status);
        });
    }

    private record Shared(DemoCluster cluster) implements AutoCloseable {
        @Override
        public void close() {
            cluster.close();
            Servers.deleteTree(cluster.options().work());
        }
    }
}
