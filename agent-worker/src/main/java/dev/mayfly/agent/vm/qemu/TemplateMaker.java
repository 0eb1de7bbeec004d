package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.guest.GuestChannel;
import dev.mayfly.agent.vm.HostUnfitException;
import dev.mayfly.agent.vm.SlotNames;
import dev.mayfly.agent.vm.VmSpec;
import dev.mayfly.agent.vm.qemu.GuardFiles.Exit;
import dev.mayfly.workflows.job.VmSize;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes templates in the background, one at a time, of sizes that VMs were booted in: boots a VM, has it prepare, saves it.
 * No job waits for it. A size that fails too often is left alone until the agent is started anew.
 */
final class TemplateMaker implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(TemplateMaker.class);
    /** At a small weight, on a host whose VMs are busy and emulated. */
    private static final Duration PREPARED_WITHIN = Duration.ofMinutes(10);

    private static final int MOST_FAILURES = 3;
    private static final long SPARE_MIB = 512;
    private static final String NOBODY = "0".repeat(32);

    private final TemplateStore store;
    private final QemuBoot boot;
    private final TemplateMemory memory;
    private final GuardWatch watch;
    private final int index;
    private final Removal removal;
    private final Clock clock;
    private final Map<VmSize, Integer> failures = new ConcurrentHashMap<>();
    private final Set<VmSize> wanted = ConcurrentHashMap.newKeySet();
    private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
        Thread created = new Thread(task, "templates");
        created.setDaemon(true);
        return created;
    });

    /** Ensures that nothing of a VM is left. */
    @FunctionalInterface
    interface Removal {
        void remove(VmSpec vm) throws IOException;
    }

    /** @param index that no slot has */
    TemplateMaker(
            TemplateStore store,
            QemuBoot boot,
            TemplateMemory memory,
            GuardWatch watch,
            int index,
            Removal removal,
            Clock clock) {
        this.store = store;
        this.boot = boot;
        this.memory = memory;
        this.watch = watch;
        this.index = index;
        this.removal = removal;
        this.clock = clock;
    }

    /** Has a template made for VMs like this one, unless that is under way or has failed too often. */
    void want(VmSpec like) {
        VmSize size = wholeCpus(like.size());
        if (!store.isOn()
                || thread.isShutdown()
                || failures.getOrDefault(size, 0) >= MOST_FAILURES
                || !wanted.add(size)) {
            return;
        }
        // Slots' numbers begin with 1.
        String id = SlotNames.installation(like.slotId()) + "-0";
        VmSpec prototype = new VmSpec(id, 1, size, index, NOBODY, null);
        try {
            thread.execute(() -> makeOrTell(prototype));
        } catch (RejectedExecutionException e) {
            log.debug("the agent ends: no template for {}", size.label(), e);
        }
    }

    /** VMs that differ in their share of CPUs alone have one template. */
    private static VmSize wholeCpus(VmSize size) {
        return new VmSize(size.arch(), size.vcpus() * 1000, size.memoryMib(), size.diskMib());
    }

    private void makeOrTell(VmSpec prototype) {
        try {
            make(prototype);
        } catch (IOException | HostUnfitException | RuntimeException e) {
            if (!thread.isShutdown()) {
                log.debug("no template for {}", prototype.size().label(), e);
                failed(prototype.size(), "could not be made: " + e.getMessage());
            }
        } finally {
            wanted.remove(prototype.size());
        }
    }

    /** Counts it; VMs boot meanwhile. */
    void failed(VmSize size, String what) {
        int times = failures.merge(wholeCpus(size), 1, Integer::sum);
        log.warn("the template for {} {} ({} of {} times)", wholeCpus(size).label(), what, times, MOST_FAILURES);
    }

    /** A VM that was made of it answers. */
    void succeeded(VmSize size) {
        failures.remove(wholeCpus(size));
    }

    private void make(VmSpec vm) throws IOException, HostUnfitException {
        if (store.find(vm.size()).isPresent() || !store.hasRoom()) {
            return;
        }
        long wantedMib = (QemuCommandLine.memoryLimitBytes(vm.size()) >> 20) + SPARE_MIB;
        if (freeMib() < wantedMib) {
            log.info(
                    "template for {}: not now, it takes {} MiB of memory",
                    vm.size().label(),
                    wantedMib);
            return;
        }
        log.info("template for {}: being made", vm.size().label());
        long began = System.nanoTime();
        GuardFiles files = boot.files(vm);
        removal.remove(vm);
        try {
            boot.startPrototype(vm);
            awaitPrepared(vm, files);
            boot.saveAs(vm, new Template(files.vmFolder()));
            boot.end(vm);
            memory.of(store.keep(vm.size(), files.vmFolder()));
            log.info(
                    "template for {}: made in {} s",
                    vm.size().label(),
                    Duration.ofNanos(System.nanoTime() - began).toSeconds());
        } finally {
            // If the agent ends, this thread has been interrupted; what it made goes all the same.
            Thread.interrupted();
            removal.remove(vm);
        }
    }

    private static long freeMib() throws IOException {
        return Files.readAllLines(Path.of("/proc/meminfo")).stream()
                .filter(line -> line.startsWith("MemAvailable:"))
                .map(line -> line.replaceAll("\\D", ""))
                .mapToLong(kib -> Long.parseLong(kib) / 1024)
                .findFirst()
                .orElse(0);
    }

    private void awaitPrepared(VmSpec vm, GuardFiles files) throws IOException {
        try (GuestChannel guest = GuestChannel.toPrototype(vm.slotId(), boot.agentSocket(vm), clock)) {
            CompletableFuture<Exit> exit = watch.exitOf(files);
            guest.open();
            CompletableFuture.anyOf(guest.prepared(), guest.unconfigurable(), exit)
                    .get(PREPARED_WITHIN.toSeconds(), TimeUnit.SECONDS);
            if (!guest.prepared().isDone()) {
                String why = exit.isDone()
                        ? exit.join().message()
                        : guest.unconfigurable().join();
                throw new IOException("its VM could not be prepared: " + why);
            }
        } catch (TimeoutException e) {
            throw new IOException("its VM was not prepared within " + PREPARED_WITHIN, e);
        } catch (ExecutionException e) {
            throw new IOException("its VM could not be watched", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("the agent ends");
        }
    }

    /** A template in the making is dropped. */
    @Override
    public void close() {
        thread.shutdownNow();
        try {
            if (!thread.awaitTermination(10, TimeUnit.SECONDS)) {
                log.warn("a template in the making is left to the next start");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
