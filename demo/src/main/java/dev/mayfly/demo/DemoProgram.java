package dev.mayfly.demo;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.ArgumentParserException;
import net.sourceforge.argparse4j.inf.Namespace;

/** What {@code bin/demo} and {@code bin/bench} share: arguments, progress in the terminal, errors, a cluster's life. */
public final class DemoProgram {

    private static final Duration STOP_WITHIN = Duration.ofMinutes(3);

    private final Instant began = Instant.now();
    private final String name;

    /** @param name such as {@code demo}, of {@code bin/demo} */
    public DemoProgram(String name) {
        this.name = name;
    }

    /** The arguments; ends the program with exit code 2 if they are wrong. */
    public Namespace parse(ArgumentParser parser, String[] args) {
        try {
            return parser.parseArgs(args);
        } catch (ArgumentParserException e) {
            parser.handleError(e);
            System.err.println("bin/" + name + " --help tells them all");
            System.exit(2);
            throw new IllegalStateException("not reached", e);
        }
    }

    /** A line with the time that has passed. */
    public void say(String line) {
        System.out.printf(
                "[%s %4ds] %s%n", name, Duration.between(began, Instant.now()).toSeconds(), line);
    }

    /** The program's exit code; 1 with every cause's message, a line each, if it fails. */
    public int exitCode(IntSupplier program) {
        try {
            return program.getAsInt();
        } catch (RuntimeException | AssertionError e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                System.err.println("bin/" + name + ": " + cause.getMessage());
            }
            return 1;
        }
    }

    /**
     * Does {@code work} in a cluster that is closed afterwards, also on Ctrl-C, even while it starts. Its folder goes if
     * the work was well, unless {@code keep}.
     *
     * @return whether the work was well
     */
    public boolean inCluster(DemoOptions options, boolean keep, Predicate<DemoCluster> work) {
        CountDownLatch over = new CountDownLatch(1);
        Thread worker = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupt(worker, over), "stop"));
        boolean well = false;
        try (DemoCluster cluster = DemoCluster.start(options, this::say)) {
            well = work.test(cluster);
        } finally {
            if (keep || !well) {
                say("logs and configuration are kept in " + options.work());
            } else {
                Servers.deleteTree(options.work());
            }
            over.countDown();
        }
        return well;
    }

    /** The program ends no sooner than the worker has taken back what it started. */
    private void interrupt(Thread worker, CountDownLatch over) {
        if (over.getCount() == 0) {
            return;
        }
        say("stopping …");
        worker.interrupt();
        try {
            if (!over.await(STOP_WITHIN.toSeconds(), TimeUnit.SECONDS)) {
                say("not everything could be stopped within " + STOP_WITHIN.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
