package dev.mayfly.agent;

import dev.mayfly.agent.vm.HostUnfitException;
import dev.mayfly.agent.vm.MicroVm;
import dev.mayfly.agent.vm.VmSpec;
import dev.mayfly.workflows.agentapi.AgentApi.HostFigures;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What each lease renewal tells of this machine and of how VMs start on it, counted from the agent's start. */
final class HostMeter {

    private static final Logger log = LoggerFactory.getLogger(HostMeter.class);

    private final HostFacts facts;
    private final Path disks;
    private final Clock clock;
    private final LongAdder starts = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder answered = new LongAdder();
    private final DoubleAdder answerSeconds = new DoubleAdder();

    /** How a VM is started. */
    @FunctionalInterface
    interface Start {
        MicroVm start(VmSpec vm) throws IOException, HostUnfitException;
    }

    /** @param disks folder that VMs' disks are in */
    HostMeter(HostFacts facts, Path disks, Clock clock) {
        this.facts = facts;
        this.disks = disks;
        this.clock = clock;
    }

    /** Starts a VM and counts it. */
    MicroVm count(Start driver, VmSpec spec) throws IOException, HostUnfitException {
        starts.increment();
        Instant begin = clock.instant();
        boolean started = false;
        try {
            MicroVm vm = driver.start(spec);
            started = true;
            vm.whenAnswers().thenRun(() -> {
                answered.increment();
                answerSeconds.add(Duration.between(begin, clock.instant()).toMillis() / 1000.0);
            });
            return vm;
        } finally {
            if (!started) {
                failed.increment();
            }
        }
    }

    /** As of now; null if the machine does not tell. */
    @Nullable
    HostFigures figures() {
        try {
            return new HostFigures(
                    Math.max(0, ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage()), // -1: unknown
                    facts.memoryAvailableBytes(),
                    HostFacts.freeDiskBytes(disks),
                    starts.sum(),
                    failed.sum(),
                    answered.sum(),
                    answerSeconds.sum());
        } catch (IOException e) {
            log.warn("this host's figures can't be read, so its lease goes without: {}", e.toString());
            return null;
        }
    }
}
