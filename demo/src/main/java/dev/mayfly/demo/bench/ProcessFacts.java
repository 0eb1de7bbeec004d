package dev.mayfly.demo.bench;

import dev.mayfly.demo.Servers;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A running process as {@code /proc} shows it. */
record ProcessFacts(long pid) {

    private static final String RESIDENT = "VmRSS:";
    private static final String PROPORTIONAL = "Pss:";
    /** USER_HZ, the same on all of Linux' architectures that we run on. */
    private static final double TICKS_A_SECOND = 100;

    /** The JVM's flags, without class path and properties. */
    List<String> flags() {
        return words("cmdline").filter(word -> word.startsWith("-X")).toList();
    }

    /** The settings of the C library's allocator, which decide how much memory a JVM takes besides its heap. */
    Map<String, String> allocatorSettings() {
        return words("environ")
                .filter(word -> word.startsWith("MALLOC_"))
                .map(word -> word.split("=", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    }

    /** Resident memory. */
    double residentMib() {
        return mib("status", RESIDENT);
    }

    /** Resident memory of it and what it started, of pages that several share a share. */
    double proportionalMib() {
        return family().mapToDouble(one -> one.mib("smaps_rollup", PROPORTIONAL))
                .sum();
    }

    /** CPU that it and what it started have used. */
    double cpuSeconds() {
        return family().mapToDouble(ProcessFacts::ticks).sum() / TICKS_A_SECOND;
    }

    private Stream<ProcessFacts> family() {
        return Stream.concat(
                Stream.of(this),
                ProcessHandle.of(pid).stream()
                        .flatMap(ProcessHandle::descendants)
                        .map(child -> new ProcessFacts(child.pid())));
    }

    /** Its own and that of its children that have ended: fields 14 to 17, the program's name being the second. */
    private double ticks() {
        String stat = Servers.read(file("stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return IntStream.range(11, 15).mapToLong(i -> Long.parseLong(fields[i])).sum();
    }

    private double mib(String file, String key) {
        return Servers.read(file(file))
                .lines()
                .filter(line -> line.startsWith(key))
                .map(line -> line.replaceAll("\\D", ""))
                .mapToDouble(kib -> Double.parseDouble(kib) / 1024)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("process " + pid + " has ended"));
    }

    /** The whole command line. */
    List<String> commandLine() {
        return words("cmdline").toList();
    }

    private Stream<String> words(String name) {
        return Stream.of(Servers.read(file(name)).split("\0"));
    }

    private Path file(String name) {
        return Path.of("/proc", Long.toString(pid), name);
    }
}
