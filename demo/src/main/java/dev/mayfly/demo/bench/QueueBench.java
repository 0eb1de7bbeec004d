package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoProgram;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.sourceforge.argparse4j.ArgumentParsers;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.Namespace;

/** {@code bin/bench placement}, {@code dispatch}, {@code packing} and {@code fairness}: the queue and where its jobs go. */
public final class QueueBench {

    private final DemoProgram program;
    private final Namespace arguments;
    private final List<Measurement> measurements = new ArrayList<>();
    private final Map<String, Double> used = new LinkedHashMap<>();
    private final List<Goal> goals = new ArrayList<>();

    private QueueBench(DemoProgram program, Namespace arguments) {
        this.program = program;
        this.arguments = arguments;
    }

    public static void main(String[] args) {
        DemoProgram program = new DemoProgram("bench");
        QueueBench bench = new QueueBench(program, program.parse(parser(), args));
        System.exit(program.exitCode(bench::run));
    }

    private static ArgumentParser parser() {
        ArgumentParser parser = ArgumentParsers.newFor("bin/bench").build();
        parser.addArgument("what").choices("placement", "dispatch", "packing", "fairness");
        parser.addArgument("--hosts").type(Integer.class).setDefault(1000);
        parser.addArgument("--jobs").type(Integer.class).setDefault(10_000);
        parser.addArgument("--json");
        return parser;
    }

    private int run() {
        String what = arguments.getString("what");
        double load = BenchReport.loadAverage();
        measure(what, arguments.getInt("hosts"), arguments.getInt("jobs"));
        BenchReport report = new BenchReport(
                BenchReport.thisMachine(),
                Map.of(what, load),
                measurements,
                List.of(),
                Map.of(),
                Map.of(),
                used,
                List.of(),
                goals);
        report.tell(program, arguments.getString("json"));
        return 0;
    }

    private void measure(String what, int hosts, int jobs) {
        switch (what) {
            case "placement" -> {
                PlacementFigures.Result result = new PlacementFigures(hosts, jobs, 2000).run();
                measurements.add(result.measurement());
                goals.add(result.goal());
            }
            case "dispatch" -> {
                DispatchFigures.Result result = new DispatchFigures(hosts, jobs, program::say).run();
                measurements.add(result.passes());
                goals.add(result.goal());
                goals.add(result.floor());
            }
            case "packing" -> {
                Packing.Result result = new Packing(hosts, jobs).run();
                used.putAll(result.used());
                goals.add(result.goal());
            }
            case "fairness" -> {
                FairnessFigures.Result result = new FairnessFigures(3000, 100, program::say).run();
                measurements.add(result.waits());
                goals.add(result.goal());
            }
            default -> throw new IllegalArgumentException(what);
        }
    }
}
