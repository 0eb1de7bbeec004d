package dev.mayfly.agent.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process that need not be a child of ours, told from later ones with the same id by its start time.
 *
 * @param start field 22 of {@code /proc/<pid>/stat}
 */
public record RunningProcess(long pid, long start) {

    private static final int STATE = 0;
    private static final int START_TIME = 19;

    /** Whoever has this id now; empty if nobody has. */
    public static Optional<RunningProcess> now(long pid) {
        try {
            return Optional.of(new RunningProcess(pid, Long.parseLong(stat(pid)[START_TIME])));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    private static String[] stat(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        // The name in brackets may hold anything; the fields follow its last bracket.
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    }

    /** Whether it still runs; a zombie doesn't. */
    public boolean isAlive() {
        try {
            String[] fields = stat(pid);
            return !fields[STATE].equals("Z")
                    && !fields[STATE].equals("X")
                    && Long.parseLong(fields[START_TIME]) == start;
        } catch (IOException gone) {
            return false;
        }
    }

    /** Kills it if it is still this process. */
    public void kill() {
        if (isAlive()) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }
}
