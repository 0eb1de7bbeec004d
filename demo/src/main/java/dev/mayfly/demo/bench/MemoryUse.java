package dev.mayfly.demo.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.Processes;
import dev.mayfly.demo.Waiting;
import java.time.Duration;
import java.util.List;

/**
 * The agent's resident memory beside a bare worker's, and how it grows with VMs. The QEMU processes are not counted: their
 * memory is the guests'.
 */
final class MemoryUse {

    private static final int VMS = 4;
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String PIPELINE = """
            waits:
              parallel: %d
              tags: [actuated-1cpu-512mb, shell]
              variables: {GIT_STRATEGY: none}
              script: [echo up, sleep 3600]
            """.formatted(VMS);

    private final DemoCluster cluster;

    /**
     * In MiB.
     *
     * @param agent without a VM, after some have come and gone
     * @param bareWorker after some activities
     * @param agentWithVms with so many VMs that run jobs
     * @param guards of all those VMs
     */
    record Result(double agent, double bareWorker, int vms, double agentWithVms, double guards) {

        double perVm() {
            return (agentWithVms - agent + guards) / vms;
        }
    }

    MemoryUse(DemoCluster cluster) {
        this.cluster = cluster;
    }

    Result run(ProcessFacts bareWorker) {
        ProcessFacts agent = new ProcessFacts(cluster.hosts().agent(1).pid());
        double bare = bareWorker.residentMib();
        double before = agent.residentMib();
        long project = cluster.createProject("waits");
        cluster.gitlabUser().push(LaunchLatency.repository(cluster, "waits", PIPELINE), project);
        long pipeline = cluster.gitlabUser().newestPipeline(project);
        Waiting.until(
                VMS + " jobs run",
                PATIENCE,
                () -> jobs(project, pipeline).stream().allMatch(job -> isUp(project, job)));
        Result result = new Result(before, bare, VMS, agent.residentMib(), guards());
        jobs(project, pipeline)
                .forEach(job ->
                        cluster.gitlabUser().cancel(project, job.get("id").asLong()));
        cluster.awaitNothingLeft(PATIENCE);
        return result;
    }

    private List<JsonNode> jobs(long project, long pipeline) {
        return cluster.gitlabUser().jobs(project, pipeline);
    }

    private boolean isUp(long project, JsonNode job) {
        return job.get("status").asText().equals("running")
                && cluster.gitlabUser().log(project, job.get("id").asLong()).contains("\nup\n");
    }

    private double guards() {
        List<ProcessHandle> guards = Processes.naming("mayfly-guard", "/" + cluster.installation() + "-");
        if (guards.size() != VMS) {
            throw new IllegalStateException("%d guards run for %d VMs".formatted(guards.size(), VMS));
        }
        return guards.stream()
                .mapToDouble(guard -> new ProcessFacts(guard.pid()).residentMib())
                .sum();
    }
}
