package dev.mayfly.demo;

import dev.mayfly.demo.PipelineRun.JobState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import net.sourceforge.argparse4j.ArgumentParsers;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.Namespace;
import org.jspecify.annotations.Nullable;

/** {@code bin/demo}: the main job on real parts, from a push to nothing left. */
public final class DemoMain {

    /** As an agent has by default. */
    private static final int TEMPLATES = 4;

    private static final Duration PATIENCE = Duration.ofMinutes(40);

    private final DemoProgram program;
    private final Namespace arguments;

    private DemoMain(DemoProgram program, Namespace arguments) {
        this.program = program;
        this.arguments = arguments;
    }

    public static void main(String[] args) {
        DemoProgram program = new DemoProgram("demo");
        DemoMain main = new DemoMain(program, program.parse(parser(), args));
        System.exit(program.exitCode(main::run));
    }

    private static ArgumentParser parser() {
        ArgumentParser parser = ArgumentParsers.newFor("bin/demo").build();
        parser.addArgument("--once").action(Arguments.storeTrue());
        parser.addArgument("--repo");
        parser.addArgument("--sample").choices(SampleProject.NAMES).setDefault(SampleProject.NAMES.get(0));
        parser.addArgument("--report");
        parser.addArgument("--hosts")
                .type(Integer.class)
                .choices(Arguments.range(1, 15))
                .setDefault(2);
        parser.addArgument("--simulated").action(Arguments.storeTrue());
        parser.addArgument("--old-gitlab").action(Arguments.storeTrue());
        parser.addArgument("--api-port").type(Integer.class).setDefault(0);
        parser.addArgument("--temporal-ui-port").type(Integer.class).setDefault(0);
        parser.addArgument("--keep").action(Arguments.storeTrue());
        return parser;
    }

    private int run() {
        Path work = Servers.temporaryFolder("mayfly-demo-");
        DemoOptions options = new DemoOptions(
                work,
                arguments.getInt("hosts"),
                arguments.getBoolean("simulated") ? "simulated" : "qemu",
                TEMPLATES,
                false,
                !arguments.getBoolean("old_gitlab"),
                arguments.getInt("api_port"),
                arguments.getInt("temporal_ui_port"),
                DemoOptions.Times.usual());
        Path repository = repository(work);
        boolean well = program.inCluster(options, arguments.getBoolean("keep"), cluster -> {
            boolean ended = runPipeline(cluster, repository);
            if (!arguments.getBoolean("once")) {
                say("up until Ctrl-C: push to " + cluster.gitlabUrl() + " and watch");
                waitForInterrupt();
            }
            return ended;
        });
        say(well ? "everything ended as it should, and nothing was left" : "NOT everything ended as it should");
        return well ? 0 : 1;
    }

    private boolean runPipeline(DemoCluster cluster, Path repository) {
        say("REST API      %s/api/v1/jobs (token: %s)"
                .formatted(cluster.apiUrl(), cluster.files().secret("api-token")));
        say("Temporal UI   " + cluster.temporalUiUrl());
        say("GitLab        " + cluster.gitlabUrl());
        PipelineRun run = PipelineRun.push(cluster, projectName(repository), repository);
        say("pushed " + repository + ": " + run.url());
        ProgressView progress = new ProgressView(this::say);
        run.awaitEnd(PATIENCE, () -> progress.show(run.jobs()));
        List<JobState> jobs = run.jobs();
        System.out.println(progress.table(jobs));
        Leftovers left = cluster.awaitNothingLeft(Duration.ofMinutes(2));
        say("left after the run: " + left.asMap());
        LedgerBalance ledger = LedgerBalance.await(cluster, Duration.ofMinutes(1));
        System.out.println(ledger.table());
        ledger.faults().forEach(fault -> say("the ledger is not even: " + fault));
        Path file = path("report");
        if (file != null) {
            new Report(run.report(), left.asMap(), ledger.kinds()).writeTo(file);
            say("report: " + file);
        }
        return !jobs.isEmpty()
                && jobs.stream().allMatch(JobState::isWell)
                && left.isNothing()
                && ledger.faults().isEmpty();
    }

    private @Nullable Path path(String option) {
        String given = arguments.getString(option);
        return given == null ? null : Path.of(given);
    }

    private Path repository(Path work) {
        Path given = path("repo");
        if (given == null) {
            return SampleProject.checkOut(arguments.getString("sample"), work);
        }
        if (!Files.isDirectory(given)) {
            throw new IllegalArgumentException("--repo " + given + " is no folder; give a git repository's");
        }
        return given.toAbsolutePath().normalize();
    }

    private static String projectName(Path repository) {
        String name = Objects.toString(repository.getFileName()).toLowerCase(java.util.Locale.ROOT);
        return name.replaceAll("[^a-z0-9_-]+", "-").replaceAll("^-+|-+$", "");
    }

    private static void waitForInterrupt() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void say(String line) {
        program.say(line);
    }
}
