package dev.mayfly.agent.process;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Runs the host's own tools ({@code ip}, {@code nft}, {@code mke2fs}) and starts guards. The only user of
 * {@link ProcessBuilder}: arguments are always a list, never a shell's line, and never hold a secret.
 */
public final class Commands {

    private final Duration timeout;

    /**
     * Commands with a limit.
     *
     * @param timeout after which a tool is killed and the call fails
     */
    public Commands(Duration timeout) {
        this.timeout = timeout;
    }

    /** Runs a tool to its end and returns what it printed; any exit status but 0 is a failure. */
    public String run(String... argv) throws IOException {
        return runWithInput(List.of(argv), "");
    }

    /** As {@link #run}, with standard input. */
    public String runWithInput(List<String> argv, String input) throws IOException {
        Process process = start(new ProcessBuilder(argv).redirectErrorStream(true), argv);
        CompletableFuture<Void> limit = CompletableFuture.runAsync(
                process::destroyForcibly, CompletableFuture.delayedExecutor(timeout.toMillis(), TimeUnit.MILLISECONDS));
        try {
            try (OutputStream stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            } catch (IOException ended) {
                // It ended without reading its input; its exit status and output say why.
            }
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            if (limit.isDone()) {
                throw new CommandException(argv, "killed after " + timeout.toSeconds() + " s", output);
            }
            if (status != 0) {
                throw new CommandException(argv, "exit status " + status, output);
            }
            return output;
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for " + argv.get(0));
        } finally {
            limit.cancel(false);
        }
    }

    /**
     * Starts a program that outlives this process: in a session of its own, no child of ours, its output in a file.
     *
     * @param output gets standard output and standard error
     */
    public void startDetached(List<String> argv, Path output) throws IOException {
        List<String> detached = new ArrayList<>(List.of("setsid", "--fork"));
        detached.addAll(argv);
        ProcessBuilder builder = new ProcessBuilder(detached);
        builder.redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(output.toFile()));
        Process process = start(builder, argv);
        try {
            int status = process.waitFor();
            if (status != 0) {
                throw new CommandException(argv, "exit status " + status, "");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while starting " + argv.get(0));
        }
    }

    /** Starts a child whose life the caller watches and ends; its output goes to a file. */
    public Process startChild(List<String> argv, Path output) throws IOException {
        return start(
                new ProcessBuilder(argv)
                        .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile()),
                argv);
    }

    /** Starts a child that ends when its input does, so with this process at the latest. */
    public Process startServant(List<String> argv) throws IOException {
        return start(new ProcessBuilder(argv).redirectErrorStream(true), argv);
    }

    private static Process start(ProcessBuilder builder, List<String> argv) throws IOException {
        try {
            return builder.start();
        } catch (IOException e) {
            throw new CommandException(argv, e);
        }
    }
}
