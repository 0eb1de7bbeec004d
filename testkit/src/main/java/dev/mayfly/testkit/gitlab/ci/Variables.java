package dev.mayfly.testkit.gitlab.ci;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Expansion of {@code $NAME}, {@code ${NAME}} and {@code %NAME%} as GitLab's server does it. */
public final class Variables {
    private static final Pattern REFERENCE = Pattern.compile("\\$\\$|%%|\\$(\\w+)|\\$\\{(\\w+)\\}|%(\\w+)%");

    private Variables() {}

    /** Unknown names become nothing; a name that leads back to itself stays as it is. */
    public static String expand(String text, Map<String, String> variables) {
        return expand(text, variables, new HashSet<>());
    }

    private static String expand(String text, Map<String, String> variables, Set<String> open) {
        Matcher matcher = REFERENCE.matcher(text);
        StringBuilder result = new StringBuilder();
        while (matcher.find()) {
            String name = firstNonNull(matcher);
            String value;
            if (name.isEmpty()) {
                value = matcher.group();
            } else if (!open.add(name)) {
                value = matcher.group();
            } else {
                value = expand(variables.getOrDefault(name, ""), variables, open);
                open.remove(name);
            }
            matcher.appendReplacement(result, Matcher.quoteReplacement(value));
        }
        return matcher.appendTail(result).toString();
    }

    private static String firstNonNull(Matcher matcher) {
        for (int i = 1; i <= matcher.groupCount(); i++) {
            if (matcher.group(i) != null) {
                return matcher.group(i);
            }
        }
        return "";
    }
}
