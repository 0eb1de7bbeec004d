package dev.mayfly.demo;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Runs short commands to their end. Argument lists only, never a shell's string. */
public final class Shell {

    private Shell() {}

    /**
     * What the command printed.
     *
     * @throws IllegalStateException if its exit code is not 0; the message holds the command and its output
     */
    public static String run(List<String> command) {
        return require(command, tryRun(command));
    }

    private static String require(List<String> command, Result result) {
        if (result.exitCode() != 0) {
            throw new IllegalStateException(
                    "%s: exit code %d: %s".formatted(String.join(" ", command), result.exitCode(), result.output()));
        }
        return result.output();
    }

    public static String run(String... command) {
        return run(List.of(command));
    }

    /** As {@link #run(List)}, with more environment: the place for what must not stand among the arguments. */
    public static String run(Map<String, String> environment, List<String> command) {
        return require(command, tryRun(environment, command));
    }

    /** Exit code and output of a command that may fail. */
    public static Result tryRun(List<String> command) {
        return tryRun(Map.of(), command);
    }

    private static Result tryRun(Map<String, String> environment, List<String> command) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
            builder.environment().putAll(environment);
            Process process = builder.start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Result(process.waitFor(), output.strip());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "can't run " + command.get(0) + "; is it installed? bin/setup --check says", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while running " + command.get(0), e);
        }
    }

    public record Result(int exitCode, String output) {}
}
