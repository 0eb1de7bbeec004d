package dev.mayfly.demo.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What an agent's log says of its slots, and when. Its times are whole milliseconds. */
record AgentLog(Path file) {

    static final String ASKED = "asked to launch for ";
    static final String GUEST_READY = "guest is ready";
    static final String DESTROYED = "destroyed, nothing is left";

    private static final Pattern LINE = Pattern.compile("(\\S+) +\\S+ +\\S+: slot (\\S+): (.*)");

    /** When the log first said this of each slot. */
    Map<String, Instant> firstTimes(String message) {
        Map<String, Instant> times = new HashMap<>();
        try (Stream<String> lines = Files.lines(file)) {
            lines.map(LINE::matcher)
                    .filter(Matcher::matches)
                    .filter(line -> line.group(3).startsWith(message))
                    .forEach(line -> times.putIfAbsent(line.group(2), Instant.parse(line.group(1))));
        } catch (IOException e) {
            throw new UncheckedIOException("can't read the agent's log " + file, e);
        }
        return times;
    }
}
