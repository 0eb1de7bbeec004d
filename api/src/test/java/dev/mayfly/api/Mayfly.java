package dev.mayfly.api;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The command line, run in this JVM. */
public final class Mayfly {

    private Mayfly() {}

    /** How a command ended and what it wrote. */
    public record Ended(int exitCode, String out, String err) {}

    public static Ended run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode =
                new ApiApplication().commandLine(printer(out), printer(err)).run(arguments);
        return new Ended(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** As {@link #run}, of a command that asks this control plane. */
    public static Ended against(ControlPlane controlPlane, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(
                "--url",
                controlPlane.url(),
                "--token-file",
                controlPlane.folder().resolve("api-token").toString()));
        return run(all.toArray(String[]::new));
    }

    private static PrintStream printer(ByteArrayOutputStream to) {
        return new PrintStream(to, true, StandardCharsets.UTF_8);
    }
}
