package dev.mayfly.testkit.gitlab.ci;

import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them in YAML: {@code 1h 30m}, {@code 2 days}, {@code 3600}. */
public final class Durations {
    private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([a-z]*)[\\s,]*(?:and\\s+)?");

    private Durations() {}

    /** Seconds, or empty if this is no duration. */
    public static OptionalInt parseSeconds(String text) {
        String rest = text.strip().toLowerCase(Locale.ROOT);
        Matcher matcher = PART.matcher(rest);
        double seconds = 0;
        int at = 0;
        while (at < rest.length()) {
            if (!matcher.find(at) || matcher.start() != at) {
                return OptionalInt.empty();
            }
            double unit = unit(matcher.group(2));
            if (unit == 0) {
                return OptionalInt.empty();
            }
            seconds += Double.parseDouble(matcher.group(1)) * unit;
            at = matcher.end();
        }
        return at == 0 ? OptionalInt.empty() : OptionalInt.of((int) seconds);
    }

    private static double unit(String name) {
        return switch (name) {
            case "", "s", "sec", "secs", "second", "seconds" -> 1;
            case "m", "min", "mins", "minute", "minutes" -> 60;
            case "h", "hr", "hrs", "hour", "hours" -> 3600;
            case "d", "day", "days" -> 86_400;
            case "w", "wk", "week", "weeks" -> 604_800;
            case "mo", "mos", "month", "months" -> 2_592_000;
            case "y", "yr", "yrs", "year", "years" -> 31_557_600;
            default -> 0;
        };
    }
}
