package dev.mayfly.demo;

import dev.mayfly.agent.Agent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/** A process with the agents of many hosts, whose VMs are played. */
public final class AgentsTogether {

    private static final int AT_ONCE = 8;

    private AgentsTogether() {}

    /** Arguments: each agent's configuration. Runs until killed. */
    public static void main(String[] configurations) throws ExecutionException, InterruptedException {
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        List<Future<Agent>> agents = new ArrayList<>();
        Stream.of(configurations)
                .map(Path::of)
                .forEach(configuration -> agents.add(threads.submit(() -> Agent.start(configuration))));
        for (Future<Agent> agent : agents) {
            agent.get();
        }
        threads.shutdown();
        Thread.currentThread().join();
    }
}
