package dev.mayfly.agent.vm.simulated;

import dev.mayfly.agent.claim.RunnerInfo;
import dev.mayfly.agent.vm.LeftOver;
import dev.mayfly.agent.vm.MicroVm;
import dev.mayfly.agent.vm.MicroVmDriver;
import dev.mayfly.agent.vm.VmSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plays VMs inside the agent: no VMM, no network namespace, no disk, no limits, and no isolation of any kind. For tests of
 * scale and of crashes. Jobs really pass through claim broker and relay; their scripts are not run. The VMs die with the
 * agent.
 */
public final class SimulatedMicroVms implements MicroVmDriver, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(SimulatedMicroVms.class);
    private static final int MOST = 1 << 22;

    private final InetSocketAddress relay;
    private final Duration bootTime;
    private final Map<String, SimulatedMicroVm> vms = new ConcurrentHashMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(null, task, "simulated-runner", 256 * 1024);
        thread.setDaemon(true);
        return thread;
    });

    /**
     * Simulated VMs.
     *
     * @param relay where the relay listens on loopback
     * @param bootTime how long a VM takes until it answers
     */
    public SimulatedMicroVms(InetSocketAddress relay, Duration bootTime) {
        this.relay = relay;
        this.bootTime = bootTime;
        log.warn("driver: simulated. VMs are played inside the agent. NOTHING IS ISOLATED and no script is run.");
    }

    @Override
    public String name() {
        return "simulated";
    }

    @Override
    public MicroVm start(VmSpec vm) {
        SimulatedMicroVm started =
                new SimulatedMicroVm(vm.slotId(), new PlainHttp(guestAddress(vm.index()), relay), threads);
        SimulatedMicroVm old = vms.put(vm.slotId(), started);
        if (old != null) {
            old.kill("the slot was started anew");
        }
        if (bootTime.isZero()) {
            started.boot();
        } else {
            CompletableFuture.delayedExecutor(bootTime.toMillis(), TimeUnit.MILLISECONDS, threads)
                    .execute(started::boot);
        }
        return started;
    }

    @Override
    public MicroVm adopt(VmSpec vm) {
        SimulatedMicroVm gone =
                new SimulatedMicroVm(vm.slotId(), new PlainHttp(guestAddress(vm.index()), relay), threads);
        gone.kill("simulated VMs die with their agent");
        vms.put(vm.slotId(), gone);
        return gone;
    }

    @Override
    public void kill(VmSpec vm) {
        SimulatedMicroVm running = vms.get(vm.slotId());
        if (running != null) {
            running.kill("the VM was killed");
        }
    }

    @Override
    public void destroy(VmSpec vm) {
        kill(vm);
        vms.remove(vm.slotId());
    }

    @Override
    public List<LeftOver> leftOvers(String installation, Collection<VmSpec> known) {
        return List.of();
    }

    /** An address of its own on loopback: 127.64.0.0/10 holds nothing else. */
    @Override
    public InetAddress guestAddress(int index) {
        if (index < 0 || index >= MOST) {
            throw new IllegalArgumentException("index %d is outside the %d simulated addresses".formatted(index, MOST));
        }
        int address = (127 << 24 | 64 << 16) + index;
        try {
            return InetAddress.getByAddress(
                    new byte[] {(byte) (address >> 24), (byte) (address >> 16), (byte) (address >> 8), (byte) address});
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four bytes are always an address", e);
        }
    }

    @Override
    public Optional<String> image() {
        return Optional.empty();
    }

    @Override
    public RunnerInfo runnerInfo() {
        Map<String, Boolean> features = Map.of(
                "variables", true,
                "raw_variables", true,
                "artifacts", true,
                "artifacts_exclude", true,
                "upload_multiple_artifacts", true,
                "upload_raw_artifacts", true,
                "multi_build_steps", true,
                "return_exit_code", true,
                "trace_checksum", true,
                "cancelable", true);
        return new RunnerInfo(
                "mayfly-simulated",
                "0.1.0",
                "simulated",
                "linux",
                "amd64",
                Map.of("shell", features, "docker", features));
    }

    @Override
    public void close() {
        vms.values().forEach(vm -> vm.kill("the agent ends"));
        threads.shutdownNow();
    }
}
