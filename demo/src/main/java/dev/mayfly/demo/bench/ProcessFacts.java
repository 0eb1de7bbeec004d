package dev.mayfly.demo.bench;

import dev.mayfly.demo.Servers;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A running process as {@code /proc} shows it. */
record ProcessFacts(long pid) {

    private static final String RESIDENT = "VmRSS:";

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
        return Servers.read(file("status"))
                .lines()
                .filter(line -> line.startsWith(RESIDENT))
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
