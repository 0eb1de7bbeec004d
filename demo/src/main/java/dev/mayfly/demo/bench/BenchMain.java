package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.DemoOptions;
import dev.mayfly.demo.Servers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.sourceforge.argparse4j.ArgumentParsers;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.ArgumentParserException;
import net.sourceforge.argparse4j.inf.Namespace;

/** {@code bin/bench start}: two clusters one after the other, one that plays its VMs and one with real ones. */
public final class BenchMain {

    private final Instant began = Instant.now();
    private final Namespace arguments;
    private final Map<String, Double> load = new LinkedHashMap<>();
    private final List<Measurement> measurements = new ArrayList<>();
    private final List<Measurement> steps = new ArrayList<>();
    private final Map<String, Double> memory = new LinkedHashMap<>();
    private final List<Goal> goals = new ArrayList<>();

    private BenchMain(Namespace arguments) {
        this.arguments = arguments;
    }

    public static void main(String[] args) {
        System.exit(new BenchMain(parse(args)).runReportingErrors());
    }

    private static Namespace parse(String[] args) {
        ArgumentParser parser = ArgumentParsers.newFor("bin/bench start").build();
        parser.addArgument("--runs").type(Integer.class).setDefault(1000);
        parser.addArgument("--vms").type(Integer.class).setDefault(5);
        parser.addArgument("--json");
        try {
            return parser.parseArgs(args);
        } catch (ArgumentParserException e) {
            parser.handleError(e);
            System.err.println("bin/bench --help tells them all");
            System.exit(2);
            throw new IllegalStateException("not reached", e);
        }
    }

    private int runReportingErrors() {
        try {
            run();
            return 0;
        } catch (RuntimeException | AssertionError e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                System.err.println("bin/bench: " + cause.getMessage());
            }
            return 1;
        }
    }

    private void run() {
        int runs = arguments.getInt("runs");
        if (runs > 0) {
            inCluster("simulated", cluster -> measureLaunches(cluster, runs));
        }
        int vms = arguments.getInt("vms");
        if (vms > 0) {
            inCluster("qemu", cluster -> measureVms(cluster, vms));
        }
        BenchReport report = new BenchReport(machine(), load, measurements, steps, memory, goals);
        System.out.println(report.table());
        String json = arguments.getString("json");
        if (json != null) {
            report.writeTo(Path.of(json));
            say("written to " + json);
        }
    }

    private void measureLaunches(DemoCluster cluster, int runs) {
        try (Floor floor = new Floor(cluster).start();
                LaunchLatency launches = new LaunchLatency(cluster, floor, this::say)) {
            LaunchLatency.Result result = launches.run(runs);
            measurements.add(result.answered());
            measurements.add(result.launched());
            steps.addAll(result.steps());
            goals.addAll(Goals.ofLaunches(result));
        }
    }

    private void measureVms(DemoCluster cluster, int vms) {
        try (Floor floor = new Floor(cluster).start()) {
            try (VmStarts starts = new VmStarts(cluster, this::say)) {
                List<Measurement> measured = starts.run(vms);
                measurements.addAll(measured);
                goals.addAll(Goals.ofStarts(measured));
            }
            say("memory");
            MemoryUse.Result result = new MemoryUse(cluster).run(floor.bareWorker());
            memory.put("agent, no VM", result.agent());
            memory.put("    floor: a bare activity worker, same flags", result.bareWorker());
            memory.put("agent, %d VMs run jobs".formatted(result.vms()), result.agentWithVms());
            memory.put("their %d guards together".formatted(result.vms()), result.guards());
            memory.put("agent and guard, more for each VM", result.perVm());
            goals.addAll(Goals.ofMemory(result));
        }
    }

    private interface Part {
        void measure(DemoCluster cluster);
    }

    private void inCluster(String driver, Part part) {
        load.put(driver, loadAverage());
        Path work = Servers.temporaryFolder("mayfly-bench-");
        DemoOptions options = new DemoOptions(work, 1, driver, true, 0, 0, DemoOptions.Times.usual());
        boolean well = false;
        try (DemoCluster cluster = DemoCluster.start(options, this::say)) {
            Thread onInterrupt = new Thread(cluster::close, "stop");
            Runtime.getRuntime().addShutdownHook(onInterrupt);
            part.measure(cluster);
            Runtime.getRuntime().removeShutdownHook(onInterrupt);
            well = true;
        } finally {
            if (well) {
                Servers.deleteTree(work);
            } else {
                say("logs and configuration are kept in " + work);
            }
        }
    }

    private static double loadAverage() {
        return Double.parseDouble(Servers.read(Path.of("/proc/loadavg")).split(" ", 2)[0]);
    }

    private static String machine() {
        return "%d CPUs, Java %s"
                .formatted(Runtime.getRuntime().availableProcessors(), System.getProperty("java.version"));
    }

    private void say(String line) {
        System.out.printf(
                "[bench %4ds] %s%n", Duration.between(began, Instant.now()).toSeconds(), line);
    }
}
