package dev.mayfly.demo;

import dev.mayfly.demo.Machines.ControlPlanePorts;
import java.nio.file.Path;
import java.util.List;

/** Command lines of the servers that are not Mayfly's own. */
final class Commands {

    private Commands() {}

    /** The dev server's parts reach each other at 127.0.0.1, so it listens at every address of its machine. */
    static List<String> temporal(Path program, ControlPlanePorts ports, Path database) {
        return List.of(
                program.toString(),
                "server",
                "start-dev",
                "--ip",
                "0.0.0.0",
                "--port",
                Integer.toString(ports.temporal()),
                "--ui-ip",
                "0.0.0.0",
                "--ui-port",
                Integer.toString(ports.temporalUi()),
                "--namespace",
                "mayfly",
                "--db-filename",
                database.toString(),
                "--log-level",
                "warn",
                // Its default reads a shard 20 times a second, which makes every hop wait up to 50 ms.
                "--dynamic-config-value",
                "history.transferProcessorMaxPollRPS=2000",
                "--dynamic-config-value",
                "history.timerProcessorMaxPollRPS=2000");
    }

    /** A name server that knows one name: guests ask it, as they would ask a company's own. */
    static List<String> nameServer(String address, String name) {
        return List.of(
                "dnsmasq",
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--bind-interfaces",
                "--listen-address=" + address,
                "--user=root",
                "--pid-file=",
                "--address=/%s/%s".formatted(name, address));
    }

    static List<String> simulatedGitLab(String program, String address, String name, Path data, boolean twoPhase) {
        return List.of(
                program,
                "--listen",
                address + ":443",
                "--hostname",
                name,
                "--data",
                data.toString(),
                "--two-phase",
                Boolean.toString(twoPhase));
    }
}
