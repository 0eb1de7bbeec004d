package dev.mayfly.agent;

import dev.mayfly.agent.AgentConfig.CapacityConfig;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What this machine is and has, read from the kernel; nothing is kept. */
final class HostFacts {

    private static final int MIB_OF_KIB = 1024;
    private static final int LEAST_MEMORY_RESERVE_MIB = 1024;
    private static final int MEMORY_RESERVE_SHARE = 10;
    private static final Path CPUS = Path.of("/proc/cpuinfo");
    private static final Path MEMORY = Path.of("/proc/meminfo");

    private HostFacts() {}

    /** What this host offers: as agent.yml states it, else what it has less a reserve for itself. */
    static Capacity capacity(CapacityConfig stated, Path stateDir) throws IOException {
        return new Capacity(
                milliCpus(stated.cpus(), Runtime.getRuntime().availableProcessors()),
                stated.memoryMib() != null ? stated.memoryMib() : offeredMemory(memoryMib()),
                stated.diskMib() != null
                        ? stated.diskMib()
                        : offeredDisk(freeDiskMib(stateDir), stated.diskFloorMib()));
    }

    static int milliCpus(@Nullable BigDecimal stated, int found) {
        return stated != null ? stated.movePointRight(3).intValue() : found * 1000;
    }

    /** A tenth stays with the host, at least 1 GiB. */
    static int offeredMemory(int totalMib) {
        return Math.max(0, totalMib - Math.max(LEAST_MEMORY_RESERVE_MIB, totalMib / MEMORY_RESERVE_SHARE));
    }

    static int offeredDisk(long freeMib, int floorMib) {
        return (int) Math.max(0, Math.min(Integer.MAX_VALUE, freeMib - floorMib));
    }

    static int memoryMib() throws IOException {
        return Files.readAllLines(MEMORY).stream()
                .filter(line -> line.startsWith("MemTotal:"))
                .findFirst()
                .map(line -> Integer.parseInt(line.replaceAll("\\D", "")) / MIB_OF_KIB)
                .orElseThrow(() -> new IOException(MEMORY + " names no MemTotal"));
    }

    /** Free space where a folder is, or would be made. */
    static long freeDiskMib(Path folder) throws IOException {
        Path existing = folder.toAbsolutePath();
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        FileStore store = Files.getFileStore(existing);
        return store.getUsableSpace() >> 20;
    }

    /** Rate of the time-stamp counter; an emulated guest can't measure it. */
    static long tscKhz() throws IOException {
        return tscKhz(Files.readAllLines(CPUS));
    }

    static long tscKhz(List<String> cpuinfo) throws IOException {
        return cpuinfo.stream()
                .filter(line -> line.startsWith("cpu MHz"))
                .findFirst()
                .map(line -> Math.round(
                        Double.parseDouble(line.substring(line.indexOf(':') + 1).strip()) * 1000))
                .orElseThrow(() -> new IOException(CPUS + " names no 'cpu MHz', which emulated guests need"));
    }

    /** As it stands in the lease. */
    static String arch() {
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return arch.equals("aarch64") ? "arm64" : "x86_64";
    }

    /** The program's absolute path; a name is looked for where PATH says, and in the administrators' folders. */
    static Optional<Path> program(String name) {
        if (name.contains("/")) {
            return Optional.of(Path.of(name).toAbsolutePath()).filter(Files::isExecutable);
        }
        String folders = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin";
        for (String folder : folders.split(":", -1)) {
            Path candidate = Path.of(folder.isEmpty() ? "." : folder, name).toAbsolutePath();
            if (Files.isExecutable(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }
}
