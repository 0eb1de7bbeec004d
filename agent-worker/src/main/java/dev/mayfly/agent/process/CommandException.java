package dev.mayfly.agent.process;

import java.io.IOException;
import java.util.List;

/** A program could not be started, failed or took too long; the message names it and repeats what it said. */
public final class CommandException extends IOException {

    private static final long serialVersionUID = 1;

    CommandException(List<String> argv, String what, String output) {
        super("%s: %s%s".formatted(String.join(" ", argv), what, output.isBlank() ? "" : ": " + output.strip()));
    }

    CommandException(List<String> argv, IOException cause) {
        super("%s could not be started: %s".formatted(String.join(" ", argv), cause.getMessage()), cause);
    }
}
