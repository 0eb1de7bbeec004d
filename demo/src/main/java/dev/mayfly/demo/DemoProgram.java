package dev.mayfly.demo;

import java.time.Duration;
import java.time.Instant;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.ArgumentParserException;
import net.sourceforge.argparse4j.inf.Namespace;

/** What {@code bin/demo} and {@code bin/bench} share: arguments, progress in the terminal, errors, a cluster's life. */
public final class DemoProgram {

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
     * Does {@code work} in a cluster that is closed afterwards, also on Ctrl-C. Its folder goes if the work was well,
     * unless {@code keep}.
     *
     * @return whether the work was well
     */
    public boolean inCluster(DemoOptions options, boolean keep, Predicate<DemoCluster> work) {
        boolean well = false;
        try (DemoCluster cluster = DemoCluster.start(options, this::say)) {
            Thread onInterrupt = new Thread(cluster::close, "stop");
            Runtime.getRuntime().addShutdownHook(onInterrupt);
            well = work.test(cluster);
            Runtime.getRuntime().removeShutdownHook(onInterrupt);
        } finally {
            if (keep || !well) {
                say("logs and configuration are kept in " + options.work());
            } else {
                Servers.deleteTree(options.work());
            }
        }
        return well;
    }
}
