package dev.mayfly.demo;

import dev.mayfly.demo.Machines.ControlPlanePorts;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The cluster's hosts: a machine on its network for each, with an agent that can be killed and started again. */
public final class DemoHosts implements AutoCloseable {

    private static final int FIRST_MACHINE = 11;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final DemoNetwork network;
    private final Supplier<JsonApi> controlPlane;
    private final Consumer<String> progress;
    private final List<ServerProcess> agents = new ArrayList<>();

    /** @param controlPlane not asked before {@link #start} */
    DemoHosts(DemoNetwork network, Supplier<JsonApi> controlPlane, Consumer<String> progress) {
        this.network = network;
        this.controlPlane = controlPlane;
        this.progress = progress;
    }

    /** Makes the machines and starts the agents: all at once, for each one tries at length whether KVM works. */
    void start(DemoOptions options, ControlPlanePorts ports, ClusterFiles files, Map<String, String> environment) {
        for (int host = 1; host <= options.hosts(); host++) {
            String namespace = network.addMachine("h" + host, FIRST_MACHINE + host - 1);
            Path config = files.agentConfig(host);
            Servers.write(config, Machines.agent(options, network, ports, host, files));
            List<String> command = List.of(options.program("agent"), "--config", config.toString());
            String name = "agent-" + host;
            agents.add(new ServerProcess(name, DemoNetwork.inside(namespace, command), environment, files.log(name)));
        }
        agents.forEach(ServerProcess::launch);
        for (int host = 1; host <= options.hosts(); host++) {
            awaitAgent(host);
        }
    }

    /** The agent of this host, from 1. */
    public ServerProcess agent(int host) {
        return agents.get(host - 1);
    }

    /** Starts the agent of this host again and waits until the control plane counts it as ready. */
    void startAgent(int host) {
        agent(host).launch();
        awaitAgent(host);
    }

    private void awaitAgent(int host) {
        progress.accept("the agent of host-" + host);
        agent(host).awaitReady(() -> isReady("host-" + host), PATIENCE);
    }

    private boolean isReady(String hostId) {
        String path = "/api/v1/hosts/" + hostId;
        return controlPlane.get().status(path) == 200
                && controlPlane.get().get(path).path("state").asText().equals("READY");
    }

    /** Interfaces on the hosts whose name begins so. */
    int interfaces(String prefix) {
        int count = 0;
        for (int host = 1; host <= agents.size(); host++) {
            String links = Shell.run("ip", "-n", network.namespace("h" + host), "-o", "link");
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
