package dev.mayfly.agent;

import dev.mayfly.agent.process.Commands;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;

/**
 * One host's agent, as a part of this process: for fleets whose VMs are played. {@link AgentMain} is what runs on a real
 * host, once it knows that the host is fit and that no other agent runs there.
 */
public final class Agent implements AutoCloseable {

    private static final Duration TOOLS_WITHIN = Duration.ofSeconds(30);

    private final Wiring wiring;

    private Agent(Wiring wiring) {
        this.wiring = wiring;
    }

    /**
     * Returns once the agent takes work; waits for control plane and Temporal as long as it takes.
     *
     * @param config its agent.yml
     * @throws AgentConfigFile.Invalid if the file can't be used
     */
    public static Agent start(Path config) throws AgentConfigFile.Invalid, IOException, InterruptedException {
        AgentConfig read = AgentConfigFile.read(config);
        Wiring wiring = new Wiring(
                read,
                Credential.read(read.controlPlane(), System.getenv()),
                new Commands(TOOLS_WITHIN),
                Clock.systemUTC());
        wiring.start();
        return new Agent(wiring);
    }

    @Override
    public void close() {
        wiring.close();
    }
}
