package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.claim.ClaimBroker;
import dev.mayfly.agent.claim.ClaimSettings;
import dev.mayfly.agent.claim.ControlPlaneCalls;
import dev.mayfly.agent.journal.SlotJournal;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.workflows.activity.VmActivities.LaunchRequest;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.VmSize;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The host side of an agent, with everything real but the VMs and the control plane. */
final class HostRig implements AutoCloseable {

    static final String SLOT = "k3x9p-1";

    final FakeDriver driver = new FakeDriver();
    final TestClock clock = new TestClock();
    final Path stateDir;
    final Path runDir;
    private final String gitlab;
    SlotJournal journal;
    HostIdentity identity;
    ClaimBroker broker;
    HostSlots slots;
    HostMeter meter;
    volatile String gate = "";
    AddressPlan plan = new AddressPlan("10.231.4.0/28", 291_000, 50);

    HostRig(Path folder) throws IOException {
        this(folder, "http://127.0.0.1:1");
    }

    HostRig(Path folder, String gitlab) throws IOException {
        this.stateDir = Files.createDirectories(folder.resolve("state"));
        this.runDir = Files.createDirectories(folder.resolve("run"));
        this.gitlab = gitlab;
        startAgent();
        identity.learn(lease(1));
    }

    private void startAgent() throws IOException {
        identity = new HostIdentity(stateDir, "host-1");
        journal = new SlotJournal(stateDir, clock, Duration.ofHours(24));
        broker = new ClaimBroker(
                ClaimSettings.standard(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
                new Calls(),
                Clock.systemUTC());
        meter = new HostMeter(HostFacts.ofThisMachine(), stateDir, clock);
        slots = new HostSlots(
                journal, driver, broker, identity, new IndexPool(plan.size()), this::check, runDir, meter);
    }

    private void check() throws dev.mayfly.agent.vm.HostUnfitException {
        if (!gate.isEmpty()) {
            throw new dev.mayfly.agent.vm.HostUnfitException(gate);
        }
    }

    /** Kills the agent and starts the next, which looks at what is there. */
    void restart() throws IOException {
        broker.close();
        startAgent();
        reclaim();
        broker.start();
    }

    void reclaim() throws IOException {
        new StartupReclaim(journal, driver, slots, broker, identity, plan, stateDir, runDir).run();
    }

    LeaseReply lease(long epoch) {
        return new LeaseReply(
                "k3x9p",
                epoch,
                Duration.ofSeconds(10),
                Duration.ofSeconds(90),
                false,
                List.of(new GitLabInstance("gl", gitlab, null, List.of())));
    }

    static LaunchRequest request(String slotId) {
        return new LaunchRequest(slotId, 1, VmSize.of(1000, 512, 1024), "gl", "g/a #7 test 1c/512m");
    }

    int launch(String slotId) {
        return slots.launch(request(slotId));
    }

    /** Has the slot hold a claim from the next restart on. */
    void storeClaim(String slotId, long job) throws IOException {
        Files.writeString(
                runDir.resolve(slotId).resolve("secrets/claim.json"),
                "{\"id\":%d,\"token\":\"job-token\",\"job_info\":{\"project_id\":42}}".formatted(job));
    }

    HostFence fence() {
        return new HostFence(slots, broker);
    }

    /** Waits until the condition holds. */
    static void until(String what, BooleanSupplier condition) {
        Instant deadline = Instant.now().plusSeconds(10);
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).as("waiting until " + what).isBefore(deadline);
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        broker.close();
    }

    /** Stands until it is moved. */
    static final class TestClock extends Clock {

        private volatile Instant now = Instant.parse("2026-01-02T03:04:05Z");

        void pass(Duration time) {
            now = now.plus(time);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    /** A control plane that holds every claim. */
    private final class Calls implements ControlPlaneCalls {

        @Override
        public CompletionStage<RunnerTokenReply> runnerToken(String slotId, long epoch, String nonce) {
            return CompletableFuture.completedStage(new RunnerTokenReply(1, "glrt", "gl"));
        }

        @Override
        public CompletionStage<ClaimReply> reportClaim(
                String slotId, long epoch, long projectId, long jobId, String jobToken) {
            return CompletableFuture.completedStage(new ClaimReply(Verdict.HELD, Executor.SHELL, "it is held"));
        }

        @Override
        public Optional<GitLabInstance> instance(String name) {
            return identity.lease().flatMap(lease -> lease.instances().stream().findFirst());
        }
    }
}
