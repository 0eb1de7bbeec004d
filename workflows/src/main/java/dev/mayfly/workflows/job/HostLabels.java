package dev.mayfly.workflows.job;

import java.util.regex.Pattern;

/** Labels of hosts, such as {@code gpu}: a job whose tags ask for some runs only on hosts that have them all. */
public final class HostLabels {

    private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?");

    private HostLabels() {}

    /** Whether this can be a label. */
    public static boolean isLabel(String text) {
        return LABEL.matcher(text).matches();
    }

    /** Why this can't be one, with the cure. */
    public static String refusal(String text) {
        return "'%s' is no host's label; write 1 to 63 letters, digits, '.', '_' and '-', such as gpu".formatted(text);
    }
}
