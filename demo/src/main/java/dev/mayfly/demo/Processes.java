package dev.mayfly.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Processes of this machine by their command lines, ours left out. */
public final class Processes {

    private Processes() {}

    /** Those whose command line has every one of the texts. */
    public static List<ProcessHandle> naming(String... texts) {
        long self = ProcessHandle.current().pid();
        return ProcessHandle.allProcesses()
                .filter(process -> process.pid() != self)
                .filter(process -> Stream.of(texts).allMatch(commandLine(process)::contains))
                .toList();
    }

    /** Words with spaces between them; empty once the process has ended. */
    public static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"))
                    .replace('\0', ' ');
        } catch (IOException ended) { // between listing and reading
            return "";
        }
    }
}
