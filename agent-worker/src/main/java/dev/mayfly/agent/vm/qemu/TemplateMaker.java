package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.guest.GuestChannel;
import dev.mayfly.agent.vm.HostUnfitException;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
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
    private final int index;
    private final Removal removal;
    private final Clock clock;
    private final Map<VmSize, Integer> failures = new ConcurrentHashMap<>();
    private final Map<VmSize, Boolean> wanted = new ConcurrentHashMap<>();
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
    TemplateMaker(TemplateStore store, QemuBoot boot, int index, Removal removal, Clock clock) {
        this.store = store;
        this.boot = boot;
        this.index = index;
        this.removal = removal;
        this.clock = clock;
    }

    /** Has a template made for VMs like this one, unless that is under way or has failed too often. */
    void want(VmSpec like) {
        VmSize size = like.size();
        if (!store.isOn()
                || failures.getOrDefault(size, 0) >= MOST_FAILURES
                || wanted.putIfAbsent(size, true) != null) {
            return;
        }
        thread.execute(() -> {
            try {
                make(prototype(like));
            } catch (IOException | HostUnfitException | RuntimeException e) {
                if (!thread.isShutdown()) {
                    failed(size, "could not be made", e);
                }
            } finally {
                wanted.remove(size);
            }
        });
    }

    /** Slots' numbers begin with 1. */
    private VmSpec prototype(VmSpec like) {
        String installation = like.slotId().substring(0, like.slotId().indexOf('-'));
        return new VmSpec(installation + "-0", 1, like.size(), index, NOBODY, null);
    }

    /** Counts it; booting goes on meanwhile. */
    void failed(VmSize size, String what, Exception why) {
        int times = failures.merge(size, 1, Integer::sum);
        log.warn(
                "the template for {} {} ({} of {} times): {}",
                size.label(),
                what,
                times,
                MOST_FAILURES,
                why.getMessage(),
                why);
    }

    private void make(VmSpec vm) throws IOException, HostUnfitException {
        if (store.find(vm.size()).isPresent()) {
            return;
        }
        requireMemory(vm.size());
        log.info("template for {}: being made", vm.size().label());
        long began = System.nanoTime();
        GuardFiles files = boot.files(vm);
        removal.remove(vm);
        try {
            boot.startPrototype(vm);
            awaitPrepared(vm, files);
            boot.saveAs(vm, new Template(files.vmFolder()));
            boot.end(vm);
            store.keep(vm.size(), files.vmFolder());
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

    private static void requireMemory(VmSize size) throws IOException, HostUnfitException {
        long wantedMib = (GuestMemory.limitBytes(size.memoryMib()) >> 20) + SPARE_MIB;
        long freeMib = Files.readAllLines(Path.of("/proc/meminfo")).stream()
                .filter(line -> line.startsWith("MemAvailable:"))
                .map(line -> line.replaceAll("\\D", ""))
                .mapToLong(kib -> Long.parseLong(kib) / 1024)
                .findFirst()
                .orElse(0);
        if (freeMib < wantedMib) {
            throw new HostUnfitException("it takes %d MiB of memory, and %d are free".formatted(wantedMib, freeMib));
        }
    }

    private void awaitPrepared(VmSpec vm, GuardFiles files) throws IOException {
        try (GuestChannel guest = GuestChannel.toPrototype(vm.slotId(), boot.agentSocket(vm), clock);
                GuardWatch watch = new GuardWatch()) {
            CompletableFuture<String> end = CompletableFuture.anyOf(
                            guest.prepared().thenApply(any -> ""),
                            guest.unconfigurable(),
                            watch.exitOf(files).thenApply(Exit::message))
                    .thenApply(String.class::cast);
            guest.open();
            String problem = end.get(PREPARED_WITHIN.toSeconds(), TimeUnit.SECONDS);
            if (!problem.isEmpty()) {
                throw new IOException("its VM could not be prepared: " + problem);
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
