package dev.mayfly.agent.claim;

import java.util.List;
import java.util.regex.Pattern;

/** Makes a VM's console fit for the job's log, which more people may read than the console. */
final class ConsoleTail {

    static final int LINES = 50;
    private static final int LONGEST_LINE = 1000;
    private static final String MASK = "[MASKED]";
    /** Terminal control: CSI and OSC sequences, other two-character escapes, then every control character but tab. */
    private static final Pattern ESCAPES = Pattern.compile(
            "\u001b\\[[0-?]*[ -/]*[@-~]|\u001b\\][^\u0007\u001b]*(\u0007|\u001b\\\\)?|\u001b.?|[\\x00-\\x08\\x0b-\\x1f\\x7f]");

    private ConsoleTail() {}

    /**
     * @param console the console's last lines; one more than {@link #LINES} shows that the first may be cut, which would
     *     hide a secret from its mask
     * @param secrets longest first
     */
    static List<String> of(List<String> console, List<String> secrets) {
        List<String> whole = console.size() > LINES ? console.subList(console.size() - LINES, console.size()) : console;
        // Before, for secrets that hold escapes; after, for those that escapes tore apart.
        String text = mask(String.join("\n", whole), secrets);
        text = mask(ESCAPES.matcher(text).replaceAll(""), secrets);
        return text.lines()
                .map(line -> line.length() > LONGEST_LINE ? line.substring(0, LONGEST_LINE) + "…" : line)
                .toList();
    }

    private static String mask(String text, List<String> secrets) {
        String masked = text;
        for (String secret : secrets) {
            masked = masked.replace(secret, MASK);
        }
        return masked;
    }
}
