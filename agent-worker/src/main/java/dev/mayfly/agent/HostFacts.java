package dev.mayfly.agent;

import dev.mayfly.agent.AgentConfig.CapacityConfig;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What this machine is and has, read from the kernel's files; nothing is kept.
 *
 * @param root of the file system
 * @param path where programs are looked for before the administrators' folders
 */
record HostFacts(Path root, String path) {

    private static final int LEAST_MEMORY_RESERVE_MIB = 1024;
    private static final int MEMORY_RESERVE_SHARE = 10;
    private static final List<String> PROGRAM_FOLDERS = List.of("usr/sbin", "sbin", "usr/bin", "bin");

    static HostFacts ofThisMachine() {
        return new HostFacts(Path.of("/"), System.getenv().getOrDefault("PATH", ""));
    }

    /** What this host offers: as agent.yml states it, else what it has less a reserve for itself. */
    Capacity capacity(AgentConfig config) throws IOException {
        CapacityConfig stated = config.capacity();
        int reserveMib = stated.diskFloorMib()
                + (config.templates().most() > 0 ? config.templates().diskMib() : 0)
                + (config.registry().upstreams().isEmpty()
                        ? 0
                        : config.registry().diskMib());
        return new Capacity(
                milliCpus(stated.cpus(), Runtime.getRuntime().availableProcessors()),
                stated.memoryMib() != null ? stated.memoryMib() : offeredMemory(memoryMib()),
                stated.diskMib() != null ? stated.diskMib() : offeredDisk(freeDiskMib(config.stateDir()), reserveMib));
    }

    static int milliCpus(@Nullable BigDecimal stated, int found) {
        return stated != null ? stated.movePointRight(3).intValue() : found * 1000;
    }

    /** A tenth stays with the host, at least 1 GiB. */
    static int offeredMemory(int totalMib) {
        return Math.max(0, totalMib - Math.max(LEAST_MEMORY_RESERVE_MIB, totalMib / MEMORY_RESERVE_SHARE));
    }

    static int offeredDisk(long freeMib, int reserveMib) {
        return (int) Math.max(0, Math.min(Integer.MAX_VALUE, freeMib - reserveMib));
    }

    int memoryMib() throws IOException {
        return (int) (kib("MemTotal:") >> 10);
    }

    /** What new processes could have without swapping. */
    long memoryAvailableBytes() throws IOException {
        return kib("MemAvailable:") << 10;
    }

    private long kib(String key) throws IOException {
        return Long.parseLong(value("proc/meminfo", key).replaceAll("\\D", ""));
    }

    /** The effective user id of this process. */
    int uid() throws IOException {
        return Integer.parseInt(value("proc/self/status", "Uid:").strip().split("\\s+", -1)[1]);
    }

    /** Whether this machine passes IPv4 packets on. */
    boolean forwards() throws IOException {
        return Files.readString(root.resolve("proc/sys/net/ipv4/ip_forward"))
                .strip()
                .equals("1");
    }

    /** Rate of the time-stamp counter; an emulated guest can't measure it. */
    long tscKhz() throws IOException {
        String megahertz = value("proc/cpuinfo", "cpu MHz").replace(':', ' ').strip();
        return Math.round(Double.parseDouble(megahertz) * 1000);
    }

    /** The rest of the first line that begins so. */
    private String value(String file, String key) throws IOException {
        Path from = root.resolve(file);
        return Files.readAllLines(from).stream()
                .filter(line -> line.startsWith(key))
                .findFirst()
                .map(line -> line.substring(key.length()))
                .orElseThrow(() -> new IOException("%s has no line '%s'".formatted(from, key)));
    }

    /** Lines of a file, none if it isn't there. */
    List<String> lines(String file) throws IOException {
        Path from = root.resolve(file);
        return Files.exists(from) ? Files.readAllLines(from) : List.of();
    }

    /** Whether a device is there and lets itself be opened, which a container may deny though its mode allows it. */
    boolean opens(String device) {
        try (FileChannel open =
                FileChannel.open(root.resolve(device), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return open.isOpen();
        } catch (IOException e) {
            return false;
        }
    }

    /** Free space where a folder is, or would be made. */
    static long freeDiskMib(Path folder) throws IOException {
        return freeDiskBytes(folder) >> 20;
    }

    /** The same. */
    static long freeDiskBytes(Path folder) throws IOException {
        Path existing = folder.toAbsolutePath();
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        return Files.getFileStore(existing).getUsableSpace();
    }

    /** Changes with every boot of the machine. */
    static String bootId() throws IOException {
        return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    }

    static Arch arch() {
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return arch.equals("aarch64") ? Arch.ARM64 : Arch.X86_64;
    }

    /** The program's absolute path; a name is looked for where PATH says, and in the administrators' folders. */
    Optional<Path> program(String name) {
        if (name.contains("/")) {
            return Optional.of(Path.of(name).toAbsolutePath()).filter(Files::isExecutable);
        }
        for (String folder : path.split(":", -1)) {
            Path candidate = Path.of(folder.isEmpty() ? "." : folder, name).toAbsolutePath();
            if (Files.isExecutable(candidate)) {
                return Optional.of(candidate);
            }
        }
        return PROGRAM_FOLDERS.stream()
                .map(folder -> root.resolve(folder).resolve(name))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
