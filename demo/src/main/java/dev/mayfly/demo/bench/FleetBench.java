package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoOptions;
import dev.mayfly.demo.DemoProgram;
import dev.mayfly.demo.Servers;
import java.util.List;
import java.util.Map;
import net.sourceforge.argparse4j.ArgumentParsers;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.Namespace;

/** {@code bin/bench fleet}: a whole installation with many hosts, whose VMs are played. */
public final class FleetBench {

    private FleetBench() {}

    public static void main(String[] args) {
        DemoProgram program = new DemoProgram("bench");
        Namespace arguments = program.parse(parser(), args);
        System.exit(program.exitCode(() -> run(program, arguments)));
    }

    private static ArgumentParser parser() {
        ArgumentParser parser = ArgumentParsers.newFor("bin/bench fleet").build();
        parser.addArgument("--hosts").type(Integer.class).setDefault(200);
        parser.addArgument("--jobs").type(Integer.class).setDefault(1000);
        parser.addArgument("--json");
        return parser;
    }

    private static int run(DemoProgram program, Namespace arguments) {
        double load = BenchReport.loadAverage();
        DemoOptions options = new DemoOptions(
                Servers.temporaryFolder("mayfly-bench-"),
                arguments.getInt("hosts"),
                "simulated",
                0,
                true,
                true,
                0,
                0,
                DemoOptions.Times.usual());
        program.inCluster(options, false, cluster -> {
            try (FleetFigures figures = new FleetFigures(cluster, program::say)) {
                FleetFigures.Result result = figures.run(arguments.getInt("jobs"));
                new BenchReport(
                                BenchReport.thisMachine(),
                                Map.of("fleet", load),
                                List.of(result.lives()),
                                List.of(),
                                Map.of(),
                                result.cpu(),
                                Map.of(),
                                result.growth(),
                                result.goals())
                        .tell(program, arguments.getString("json"));
            }
            return true;
        });
        return 0;
    }
}
