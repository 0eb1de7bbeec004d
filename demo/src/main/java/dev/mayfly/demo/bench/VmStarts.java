package dev.mayfly.demo.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.JsonApi;
import dev.mayfly.demo.Processes;
import dev.mayfly.demo.Servers;
import dev.mayfly.demo.Waiting;
import dev.mayfly.demo.bench.ControlPlaneRecords.JobRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * From the launch command to a job's first line, and from its end to nothing left: jobs in Mayfly's VMs and in VMs started
 * by hand take turns, one VM at a time.
 */
final class VmStarts implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    /** What the demonstration's control plane gives every VM. */
    private static final int DISK_MIB = 4096;

    private static final String TAGS = "actuated-1cpu-1gb, shell";
    private static final String BY_HAND = "by-hand";
    private static final Pattern FIRST_LINE = Pattern.compile("first line at (\\d+)\\.(\\d{6})");
    private static final String PIPELINE = """
            job:
              tags: [%s]
              variables: {GIT_STRATEGY: %s}
              script:
                - echo "first line at $EPOCHREALTIME"
            """;

    private final DemoCluster cluster;
    private final boolean clones;
    private final Consumer<String> progress;
    private final JsonApi gitlab;
    private final ControlPlaneRecords records;
    private List<String> argv = List.of();
    private final List<Start> ours = new ArrayList<>();
    private final List<Start> byHand = new ArrayList<>();
    private final List<Start> withoutGit = new ArrayList<>();

    /** How one VM's start and end went. */
    private record Start(Duration toLaunch, Duration answers, Duration firstLine, Duration gone) {

        String inSeconds() {
            return "answers after %.1f s, first line after %.1f s, gone %.1f s after the end"
                    .formatted(answers.toMillis() / 1e3, firstLine.toMillis() / 1e3, gone.toMillis() / 1e3);
        }
    }

    /** @param clones whether VMs are clones of a template; else they boot */
    VmStarts(DemoCluster cluster, boolean clones, Consumer<String> progress) {
        this.cluster = cluster;
        this.clones = clones;
        this.progress = progress;
        this.gitlab = cluster.gitlabUser().api();
        this.records = new ControlPlaneRecords(cluster.database());
    }

    List<Measurement> run(int vms) {
        long project = project("in-a-vm", TAGS, "fetch");
        long projectByHand = project(BY_HAND, BY_HAND, "fetch");
        JsonNode runner = gitlab.post(
                "/api/v4/user/runners",
                Map.of("runner_type", "project_type", "project_id", projectByHand, "tag_list", BY_HAND));
        Path template = null;
        if (clones) {
            ended(project, newestJob(project, false));
            template = awaitTemplate();
        }
        for (int i = 1; i <= vms; i++) {
            long job = newestJob(project, clones || i > 1);
            argv = argv.isEmpty() ? argvOfRunningVm() : argv;
            ours.add(ended(project, job));
            long jobByHand = newestJob(projectByHand, i > 1);
            byHand.add(byHand(
                    i, template, projectByHand, jobByHand, runner.get("token").asText()));
            progress.accept("VM %d of %d: %s".formatted(i, vms, ours.get(i - 1).inSeconds()));
            progress.accept("    by hand: " + byHand.get(i - 1).inSeconds());
        }
        gitlab.delete("/api/v4/runners/" + runner.get("id").asLong());
        if (clones) {
            long projectWithoutGit = project("without-git", TAGS, "none");
            for (int i = 1; i <= vms; i++) {
                withoutGit.add(ended(projectWithoutGit, newestJob(projectWithoutGit, i > 1)));
                progress.accept("VM %d of %d, without git: %s"
                        .formatted(i, vms, withoutGit.get(i - 1).inSeconds()));
            }
        }
        return measurements();
    }

    private Path awaitTemplate() {
        Path templates = cluster.options().work().resolve("host-1/state/templates");
        List<Path> found = new ArrayList<>();
        Waiting.until("there is a template", PATIENCE, () -> {
            found.addAll(Servers.list(templates));
            return !found.isEmpty();
        });
        return found.get(0);
    }

    /** A project whose one job wants these tags; pushing it starts a first pipeline. */
    private long project(String name, String tags, String gitStrategy) {
        long project = cluster.createProject(name);
        cluster.gitlabUser()
                .push(LaunchLatency.repository(cluster, name, PIPELINE.formatted(tags, gitStrategy)), project);
        return project;
    }

    /** The only job of the newest pipeline, or of a new one. */
    private long newestJob(long project, boolean ofNewPipeline) {
        if (ofNewPipeline) {
            gitlab.post("/api/v4/projects/%d/pipeline".formatted(project), Map.of("ref", "main"));
        }
        long pipeline = cluster.gitlabUser().newestPipeline(project);
        return cluster.gitlabUser().jobs(project, pipeline).get(0).get("id").asLong();
    }

    /** The arguments that the driver gave QEMU. */
    private List<String> argvOfRunningVm() {
        List<ProcessHandle> running = new ArrayList<>();
        Waiting.until("a VM runs", PATIENCE, () -> {
            running.addAll(Processes.naming("qemu-system", "/" + cluster.installation() + "-", "mayfly.agent"));
            running.removeIf(process -> Processes.commandLine(process).contains("mayfly-guard"));
            return !running.isEmpty();
        });
        return new ProcessFacts(running.get(0).pid()).commandLine();
    }

    private Start ended(long project, long job) {
        JobRecord[] found = new JobRecord[1];
        Waiting.until("job " + job + " has ended and nothing of it is left", PATIENCE, () -> {
            found[0] = records.jobs().stream()
                    .filter(one -> one.jobId() == job)
                    .filter(one -> one.released() != null && one.runnerRemoved() != null)
                    .findFirst()
                    .orElse(null);
            return found[0] != null;
        });
        JobRecord record = Objects.requireNonNull(found[0]);
        AgentLog log = new AgentLog(cluster.files().log("agent-1"));
        Instant asked = time(log, AgentLog.ASKED, record);
        Instant gone = Stream.of(time(log, AgentLog.DESTROYED, record), record.released(), record.runnerRemoved())
                .map(Objects::requireNonNull)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        return new Start(
                Duration.between(Objects.requireNonNull(record.received()), asked),
                Duration.between(asked, time(log, AgentLog.GUEST_READY, record)),
                Duration.between(asked, firstLine(project, job)),
                Duration.between(jobEnd(project, job), gone));
    }

    private static Instant time(AgentLog log, String message, JobRecord job) {
        Instant time = log.firstTimes(message).get(job.slotId());
        if (time == null) {
            throw new IllegalStateException("the agent's log does not say '%s' of slot %s; is MAYFLY_LOG=DEBUG set?"
                    .formatted(message, job.slotId()));
        }
        return time;
    }

    private Start byHand(int number, @Nullable Path template, long project, long job, String token) {
        try (VmByHand vm = new VmByHand(cluster, number, argv, DISK_MIB, template)) {
            Instant ready = vm.awaitReady();
            vm.startRunner(token);
            Waiting.until("the job in the VM started by hand has ended", PATIENCE, () -> jobEnd(project, job) != null);
            Instant firstLine = firstLine(project, job);
            return new Start(
                    Duration.ZERO,
                    Duration.between(vm.begun(), ready),
                    Duration.between(vm.begun(), firstLine),
                    vm.remove());
        }
    }

    /** By the guest's clock, which its host has set. */
    private Instant firstLine(long project, long job) {
        String log = cluster.gitlabUser().log(project, job);
        Matcher line = FIRST_LINE.matcher(log);
        if (!line.find()) {
            throw new IllegalStateException("job %d printed no time:\n%s".formatted(job, log));
        }
        return Instant.ofEpochSecond(Long.parseLong(line.group(1)), Long.parseLong(line.group(2)) * 1000);
    }

    private @Nullable Instant jobEnd(long project, long job) {
        JsonNode end = gitlab.get("/api/v4/projects/%d/jobs/%d".formatted(project, job))
                .path("finished_at");
        return end.isTextual() ? Instant.parse(end.asText()) : null;
    }

    private List<Measurement> measurements() {
        String what = clones ? " (clone)" : "";
        List<Measurement> all = new ArrayList<>(List.of(
                measurement(
                        "launch → guest agent answers" + what,
                        "the agent's log",
                        Start::answers,
                        "the same QEMU command line by hand, to the same state" + (clones ? ", memory mapped" : "")),
                measurement(
                        "launch → first script line" + what,
                        "the agent's log → the script's own clock",
                        Start::firstLine,
                        "the same by hand, its runner talking to GitLab itself"),
                measurement(
                        "job end → all gone" + what,
                        "finished_at in GitLab → VM destroyed, slot released, runner removed",
                        Start::gone,
                        "QEMU killed by hand, its namespace and files deleted")));
        all.add(fromWebhook(what, ours));
        if (clones) {
            all.add(fromWebhook(what + ", GIT_STRATEGY: none", withoutGit));
        }
        return all;
    }

    private static Measurement fromWebhook(String what, List<Start> starts) {
        return new Measurement(
                "webhook received → first script line" + what,
                "inbox.received_at → the script's own clock",
                Distribution.of(starts.stream()
                        .map(start -> start.toLaunch().plus(start.firstLine()))
                        .toList()),
                null,
                null);
    }

    private Measurement measurement(String name, String how, Function<Start, Duration> part, String floorIs) {
        return new Measurement(
                name,
                how + "; QEMU with -accel " + argv.get(argv.indexOf("-accel") + 1),
                Distribution.of(ours.stream().map(part).toList()),
                floorIs,
                Distribution.of(byHand.stream().map(part).toList()));
    }

    @Override
    public void close() {
        records.close();
    }
}
