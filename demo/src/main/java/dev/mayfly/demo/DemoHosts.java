package dev.mayfly.demo;

import dev.mayfly.demo.Machines.ControlPlanePorts;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The cluster's hosts: a machine on its network for each, with an agent that can be killed and started again; or all their
 * agents {@linkplain DemoOptions#together together}.
 */
public final class DemoHosts implements AutoCloseable {

    private static final int FIRST_MACHINE = 11;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final DemoNetwork network;
    private final Supplier<JsonApi> controlPlane;
    private final Consumer<String> progress;
    private final List<ServerProcess> agents = new ArrayList<>();
    private final List<String> machines = new ArrayList<>();

    /** @param controlPlane not asked before {@link #start} */
    DemoHosts(DemoNetwork network, Supplier<JsonApi> controlPlane, Consumer<String> progress) {
        this.network = network;
        this.controlPlane = controlPlane;
        this.progress = progress;
    }

    /** Makes the machines and starts the agents: all at once, for each one tries at length whether KVM works. */
    void start(DemoOptions options, ControlPlanePorts ports, ClusterFiles files, Map<String, String> environment) {
        for (int host = 1; host <= options.hosts(); host++) {
            Servers.write(files.agentConfig(host), Machines.agent(options, network, ports, host, files));
        }
        if (options.together()) {
            agents.add(together(options.hosts(), files, environment));
        } else {
            for (int host = 1; host <= options.hosts(); host++) {
                agents.add(machine(options, host, files, environment));
            }
        }
        agents.forEach(ServerProcess::launch);
        for (int host = 1; host <= options.hosts(); host++) {
            awaitAgent(options.together() ? agents.get(0) : agent(host), host);
        }
    }

    private ServerProcess machine(DemoOptions options, int host, ClusterFiles files, Map<String, String> environment) {
        String namespace = network.addMachine("h" + host, FIRST_MACHINE + host - 1);
        machines.add(namespace);
        if (options.hasVms()) {
            copyImage(options.image(), files.image(host));
        }
        String config = files.agentConfig(host).toString();
        List<String> command = DemoNetwork.inside(namespace, List.of(options.program("agent"), "--config", config));
        String name = "agent-" + host;
        return new ServerProcess(name, command, environment, files.log(name));
    }

    private static ServerProcess together(int hosts, ClusterFiles files, Map<String, String> environment) {
        List<String> command = new ArrayList<>(List.of(
                "java", "-XX:+UseSerialGC", "-Xmx3g", "-Xss256k", "-cp", System.getProperty("java.class.path")));
        command.add(AgentsTogether.class.getName());
        for (int host = 1; host <= hosts; host++) {
            command.add(files.agentConfig(host).toString());
        }
        return new ServerProcess("agents", command, environment, files.log("agents"));
    }

    /** Each host has its own; where the file system allows it the files are linked. */
    private static void copyImage(Path from, Path to) {
        Servers.createFolderOf(to);
        if (Shell.tryRun(List.of("cp", "-al", from.toString(), to.toString())).exitCode() != 0) {
            Servers.deleteTree(to);
            Shell.run("cp", "-a", from.toString(), to.toString());
        }
    }

    /** The agent of this host, from 1. */
    public ServerProcess agent(int host) {
        return agents.get(host - 1);
    }

    /** What all agents have logged. */
    List<Path> logs() {
        return agents.stream().map(ServerProcess::log).toList();
    }

    /** Starts the agent of this host again and waits until the control plane counts it as ready. */
    void startAgent(int host) {
        startAgent(host, Map.of());
    }

    /** @param environment beside the usual one, in this life of the agent */
    void startAgent(int host, Map<String, String> environment) {
        agent(host).launch(environment);
        awaitAgent(agent(host), host);
    }

    private void awaitAgent(ServerProcess process, int host) {
        progress.accept("the agent of host-" + host);
        process.awaitReady(() -> isReady("host-" + host), PATIENCE);
    }

    private boolean isReady(String hostId) {
        String path = "/api/v1/hosts/" + hostId;
        return controlPlane.get().status(path) == 200
                && controlPlane.get().get(path).path("state").asText().equals("READY");
    }

    /** Cuts the host off from everything, as a pulled cable does; its VMs run on. */
    void unplug(int host) {
        network.unplug("h" + host);
    }

    void plug(int host) {
        network.plug("h" + host);
    }

    /** Interfaces on the hosts whose name begins so. */
    int interfaces(String prefix) {
        int count = 0;
        for (String machine : machines) {
            String links = Shell.run("ip", "-n", machine, "-o", "link");
            count += (int)
                    links.lines().filter(line -> line.contains(" " + prefix)).count();
        }
        return count;
    }

    @Override
    public void close() {
        agents.forEach(ServerProcess::close);
    }
}
