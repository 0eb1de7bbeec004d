package dev.mayfly.agent.cgroup;

import dev.mayfly.agent.vm.CleanUp;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A control group {@code mayfly/<slotId>} per VM: limits of memory, CPU and processes, and the means to end all of its
 * processes at once. Works with cgroup v2, and with v1 beside a v2 tree that has no controllers. Remembers nothing.
 */
public final class VmCgroups {

    private static final Logger log = LoggerFactory.getLogger(VmCgroups.class);
    private static final String PARENT = "mayfly";
    /** What a process without a group weighs. */
    private static final long V1_SHARES = 1024;

    private static final long V2_WEIGHT = 100;
    private static final long LEAST_WEIGHT = 2;
    /** Part of the usual weight. */
    private static final long BACKGROUND = 10;
    /** The kernel refuses more. */
    private static final long V1_MOST = 262_144;

    private static final long V2_MOST = 10_000;
    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

    private static final long PERIOD_MICROS = 100_000;
    private static final long GONE_WITHIN_MILLIS = 15_000;

    private final CgroupTrees trees;

    public VmCgroups(CgroupTrees trees) {
        this.trees = trees;
    }

    /**
     * What one VM may use.
     *
     * @param processes processes and threads
     * @param inBackground whether other VMs of its size come first where time is short
     */
    public record Limits(long memoryBytes, int milliCpus, int processes, boolean inBackground) {

        private long weight(long ofOneCpu) {
            long usual = ofOneCpu * milliCpus / 1000;
            return inBackground ? usual / BACKGROUND : usual;
        }
    }

    /**
     * Creates the slot's groups.
     *
     * @param gid group id of the VM, put on the folders so that {@link #leftOver} knows whose they are; grants no right
     */
    public void create(String slotId, Limits limits, int gid) throws IOException {
        makeAndLimit(slotId, limits);
        for (Path group : groups(slotId)) {
            Files.setAttribute(group, "unix:gid", gid);
        }
    }

    private void makeAndLimit(String slotId, Limits limits) throws IOException {
        if (trees.isV2()) {
            Path parent = trees.root("").resolve(PARENT);
            Files.createDirectories(parent);
            enable(trees.root(""));
            enable(parent);
            weigh(parent.resolve("cpu.weight"), V2_WEIGHT * PROCESSORS, V2_MOST);
            Path group = Files.createDirectories(parent.resolve(slotId));
            weigh(group.resolve("cpu.weight"), limits.weight(V2_WEIGHT), V2_MOST);
            write(group.resolve("memory.max"), limits.memoryBytes());
            if (Files.exists(group.resolve("memory.swap.max"))) {
                write(group.resolve("memory.swap.max"), 0);
            }
            Files.writeString(group.resolve("cpu.max"), "%d %d".formatted(quota(limits), PERIOD_MICROS));
            write(group.resolve("pids.max"), limits.processes());
            return;
        }
        for (Path group : groups(slotId)) {
            Files.createDirectories(group);
        }
        weigh(trees.root("cpu").resolve(PARENT).resolve("cpu.shares"), V1_SHARES * PROCESSORS, V1_MOST);
        weigh(group("cpu", slotId).resolve("cpu.shares"), limits.weight(V1_SHARES), V1_MOST);
        write(group("memory", slotId).resolve("memory.limit_in_bytes"), limits.memoryBytes());
        write(group("cpu", slotId).resolve("cpu.cfs_period_us"), PERIOD_MICROS);
        write(group("cpu", slotId).resolve("cpu.cfs_quota_us"), quota(limits));
        write(group("pids", slotId).resolve("pids.max"), limits.processes());
    }

    /** The files that a process writes itself into to join the slot's groups. */
    public List<Path> procsFiles(String slotId) {
        return groups(slotId).stream()
                .map(group -> group.resolve("cgroup.procs"))
                .toList();
    }

    /** The file that ends every process of the slot, if this kernel has it. */
    public Optional<Path> killFile(String slotId) {
        return groups(slotId).stream()
                .map(group -> group.resolve("cgroup.kill"))
                .filter(Files::exists)
                .findFirst();
    }

    /** Ends every process of the slot and returns once they are gone. */
    public void kill(String slotId) throws IOException {
        long deadline = System.nanoTime() + GONE_WITHIN_MILLIS * 1_000_000;
        while (true) {
            Optional<Path> killFile = killFile(slotId);
            if (killFile.isPresent()) {
                Files.writeString(killFile.get(), "1");
            }
            List<Long> left = processes(slotId);
            if (left.isEmpty()) {
                return;
            }
            for (long pid : left) {
                ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
            }
            if (System.nanoTime() > deadline) {
                throw new IOException(
                        "slot %s: processes %s do not end; look for them in state D".formatted(slotId, left));
            }
            pause();
        }
    }

    /** Ensures that the slot has no processes and no groups. */
    public void remove(String slotId) throws IOException {
        kill(slotId);
        CleanUp cleanUp = new CleanUp("control groups of slot " + slotId);
        groups(slotId).forEach(group -> cleanUp.then(() -> Files.deleteIfExists(group)));
        cleanUp.orThrow();
    }

    /** Slots of the installation that have groups of this host's group ids and are not known. */
    public List<String> leftOver(String installation, Set<String> known, IntPredicate ownGid) throws IOException {
        List<String> found = new ArrayList<>();
        for (Path root : trees.all()) {
            Path parent = root.resolve(PARENT);
            if (!Files.isDirectory(parent)) {
                continue;
            }
            try (DirectoryStream<Path> groups = Files.newDirectoryStream(parent, installation + "-*")) {
                for (Path group : groups) {
                    String slotId = String.valueOf(group.getFileName());
                    int gid = (Integer) Files.getAttribute(group, "unix:gid");
                    if (!known.contains(slotId) && !found.contains(slotId) && ownGid.test(gid)) {
                        found.add(slotId);
                    }
                }
            }
        }
        return found;
    }

    /** Ids of the slot's processes. */
    public List<Long> processes(String slotId) throws IOException {
        List<Long> pids = new ArrayList<>();
        for (Path procs : procsFiles(slotId)) {
            if (Files.exists(procs)) {
                Files.readAllLines(procs).forEach(pid -> pids.add(Long.parseLong(pid)));
            }
        }
        return pids.stream().distinct().toList();
    }

    private List<Path> groups(String slotId) {
        return trees.all().stream()
                .map(root -> root.resolve(PARENT).resolve(slotId))
                .toList();
    }

    private Path group(String controller, String slotId) {
        return trees.root(controller).resolve(PARENT).resolve(slotId);
    }

    private static void enable(Path group) {
        try {
            Files.writeString(group.resolve("cgroup.subtree_control"), "+memory +cpu +pids");
        } catch (IOException e) {
            log.debug(
                    "controllers of {} were not switched on here; writing the limits will tell if they are off",
                    group,
                    e);
        }
    }

    /**
     * Where CPUs are overcommitted each VM gets its share by its size, and all VMs together weigh as many busy processes
     * as the host has processors, not one.
     */
    private static void weigh(Path file, long weight, long most) throws IOException {
        write(file, Math.max(LEAST_WEIGHT, Math.min(weight, most)));
    }

    private static long quota(Limits limits) {
        return limits.milliCpus() * PERIOD_MICROS / 1000;
    }

    private static void write(Path file, long value) throws IOException {
        Files.writeString(file, Long.toString(value));
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(5);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("interrupted while processes end");
        }
    }
}
