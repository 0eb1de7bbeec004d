package dev.mayfly.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A server that runs beside us as its own process, its output in a log file; can be killed and started again. */
public final class ServerProcess implements AutoCloseable {

    private static final int LOG_TAIL = 30;
    private static final Duration GRACE = Duration.ofSeconds(20);

    private final String name;
    private final List<String> command;
    private final Map<String, String> environment;
    private final Path log;
    private @Nullable Process process;

    public ServerProcess(String name, List<String> command, Map<String, String> environment, Path log) {
        this.name = name;
        this.command = List.copyOf(command);
        this.environment = Map.copyOf(environment);
        this.log = log;
    }

    /** Starts it and waits until {@code ready}. */
    public void start(BooleanSupplier ready, Duration patience) {
        launch();
        awaitReady(ready, patience);
    }

    void launch() {
        launch(Map.of());
    }

    /** @param more of its environment, in this life alone */
    void launch(Map<String, String> more) {
        Servers.createFolderOf(log);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        builder.environment().putAll(more);
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException("can't start " + name, e);
        }
    }

    void awaitReady(BooleanSupplier ready, Duration patience) {
        Waiting.until(name + " is up", patience, () -> {
            if (!isAlive()) {
                throw new IllegalStateException(name + " ended while starting; the end of its log:\n" + logTail());
            }
            return ready.getAsBoolean();
        });
    }

    boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** What it wrote, in all its lives. */
    public Path log() {
        return log;
    }

    /** Its process id, once started. */
    public long pid() {
        if (process == null) {
            throw new IllegalStateException(name + " was never started");
        }
        return process.pid();
    }

    /** kill -9, as a crash. Only this process, not what it started. */
    void kill() {
        if (process != null) {
            process.destroyForcibly();
            await(process, GRACE);
        }
    }

    /** Asks it to end; kills it if it takes too long. */
    @Override
    public void close() {
        if (process != null && process.isAlive()) {
            process.destroy();
            if (!await(process, GRACE)) {
                process.destroyForcibly();
                await(process, GRACE);
            }
        }
    }

    private String logTail() {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL), lines.size()));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    private static boolean await(Process process, Duration patience) {
        try {
            return process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
