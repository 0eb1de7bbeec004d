package dev.mayfly.testkit.gitlab.ci;

import java.util.List;
import java.util.regex.Pattern;

/** Patterns of paths as {@code rules:exists} and {@code rules:changes} use them (Ruby's fnmatch, extended). */
final class Globs {
    private Globs() {}

    static boolean anyMatches(List<String> globs, List<String> paths) {
        return globs.stream()
                .map(Globs::pattern)
                .anyMatch(pattern ->
                        paths.stream().anyMatch(path -> pattern.matcher(path).matches()));
    }

    private static Pattern pattern(String glob) {
        StringBuilder regex = new StringBuilder();
        int braces = 0;
        String rest = glob.startsWith("/") ? glob.substring(1) : glob;
        for (int i = 0; i < rest.length(); i++) {
            char c = rest.charAt(i);
            if (rest.startsWith("**/", i)) {
                regex.append("(?:.*/)?");
                i += 2;
            } else if (rest.startsWith("**", i)) {
                regex.append(".*");
                i++;
            } else if (c == '*') {
                regex.append("[^/]*");
            } else if (c == '?') {
                regex.append("[^/]");
            } else if (c == '{') {
                braces++;
                regex.append("(?:");
            } else if (c == '}' && braces > 0) {
                braces--;
                regex.append(')');
            } else if (c == ',' && braces > 0) {
                regex.append('|');
            } else {
                regex.append(c == '[' || c == ']' || c == '-' ? String.valueOf(c) : Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.compile(regex.toString());
    }
}
