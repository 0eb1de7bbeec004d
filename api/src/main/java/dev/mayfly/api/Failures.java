package dev.mayfly.api;

import io.temporal.failure.ApplicationFailure;
import org.jspecify.annotations.Nullable;

/** What an exception says, in one line for people. */
public final class Failures {

    private static final int LONGEST = 300;

    private Failures() {}

    /** Its message alone: no class name, no wording of Temporal's, no second line. */
    public static String inWords(Throwable failure) {
        String text = failure instanceof ApplicationFailure ours ? ours.getOriginalMessage() : failure.getMessage();
        String line = firstLine(text == null || text.isBlank() ? failure.toString() : text);
        return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "…";
    }

    private static String firstLine(@Nullable String text) {
        return String.valueOf(text).lines().findFirst().orElse("").strip();
    }
}
