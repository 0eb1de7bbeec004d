package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.DemoOptions;
import dev.mayfly.demo.DemoProgram;
import dev.mayfly.demo.Servers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.sourceforge.argparse4j.ArgumentParsers;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.Namespace;

/** {@code bin/bench start}: three clusters one after the other: one that plays its VMs, one whose VMs boot, one whose VMs are clones of a template. */
public final class BenchMain {

    private final DemoProgram program;
    private final Namespace arguments;
    private final Map<String, Double> load = new LinkedHashMap<>();
    private final List<Measurement> measurements = new ArrayList<>();
    private final List<Measurement> steps = new ArrayList<>();
    private final Map<String, Double> memory = new LinkedHashMap<>();
    private final List<Goal> goals = new ArrayList<>();

    private BenchMain(DemoProgram program, Namespace arguments) {
        this.program = program;
        this.arguments = arguments;
    }

    public static void main(String[] args) {
        DemoProgram program = new DemoProgram("bench");
        BenchMain main = new BenchMain(program, program.parse(parser(), args));
        System.exit(program.exitCode(main::run));
    }

    private static ArgumentParser parser() {
        ArgumentParser parser = ArgumentParsers.newFor("bin/bench start").build();
        parser.addArgument("--runs").type(Integer.class).setDefault(1000);
        parser.addArgument("--vms").type(Integer.class).setDefault(5);
        parser.addArgument("--json");
        return parser;
    }

    private int run() {
        int runs = arguments.getInt("runs");
        if (runs > 0) {
            inCluster("simulated", 0, cluster -> measureLaunches(cluster, runs));
        }
        int vms = arguments.getInt("vms");
        if (vms > 0) {
            inCluster("qemu", 0, cluster -> measureVms(cluster, vms));
            inCluster("qemu", 1, cluster -> measureStarts(cluster, true, vms));
        }
        BenchReport report = new BenchReport(
                BenchReport.thisMachine(), load, measurements, steps, memory, Map.of(), Map.of(), List.of(), goals);
        report.tell(program, arguments.getString("json"));
        return 0;
    }

    private void measureLaunches(DemoCluster cluster, int runs) {
        try (Floor floor = new Floor(cluster).start();
                LaunchLatency launches = new LaunchLatency(cluster, floor, program::say)) {
            LaunchLatency.Result result = launches.run(runs);
            measurements.add(result.answered());
            measurements.add(result.launched());
            steps.addAll(result.steps());
            goals.addAll(Goals.ofLaunches(result));
        }
    }

    private void measureVms(DemoCluster cluster, int vms) {
        try (Floor floor = new Floor(cluster).start()) {
            measureStarts(cluster, false, vms);
            program.say("memory");
            MemoryUse.Result result = new MemoryUse(cluster).run(floor.bareWorker());
            memory.put("agent, no VM", result.agent());
            memory.put("    floor: a bare activity worker, same flags", result.bareWorker());
            memory.put("agent, %d VMs run jobs".formatted(result.vms()), result.agentWithVms());
            memory.put("their %d guards together".formatted(result.vms()), result.guards());
            memory.put("agent and guard, more for each VM", result.perVm());
            goals.addAll(Goals.ofMemory(result));
        }
    }

    private void measureStarts(DemoCluster cluster, boolean clones, int vms) {
        try (VmStarts starts = new VmStarts(cluster, clones, program::say)) {
            List<Measurement> measured = starts.run(vms);
            measurements.addAll(measured);
            goals.addAll(Goals.ofStarts(measured));
        }
    }

    private interface Part {
        void measure(DemoCluster cluster);
    }

    private void inCluster(String driver, int templates, Part part) {
        load.put(templates == 0 ? driver : driver + ", templates", BenchReport.loadAverage());
        Path work = Servers.temporaryFolder("mayfly-bench-");
        DemoOptions options = new DemoOptions(work, 1, driver, templates, false, true, 0, 0, DemoOptions.Times.usual());
        program.inCluster(options, false, cluster -> {
            part.measure(cluster);
            return true;
        });
    }
}
