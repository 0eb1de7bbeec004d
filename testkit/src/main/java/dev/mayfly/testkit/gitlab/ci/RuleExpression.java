package dev.mayfly.testkit.gitlab.ci;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/** {@code rules:if}: comparison, match, and, or, brackets. Made for one evaluation. */
final class RuleExpression {
    private static final Pattern TOKEN = Pattern.compile(
            "\\s*(?:(\\|\\||&&|==|!=|=~|!~|!|\\(|\\))|(\"[^\"]*\"|'[^']*')|(\\$\\w+)|(null)\\b|(/(?:\\\\.|[^/\\\\])+/[ismU]*))");

    private final String text;
    private final Map<String, String> variables;
    private final List<String> tokens = new ArrayList<>();
    private int next;

    private RuleExpression(String text, Map<String, String> variables) {
        this.text = text;
        this.variables = variables;
        Matcher matcher = TOKEN.matcher(text);
        int at = 0;
        while (!text.substring(at).isBlank()) {
            if (!matcher.find(at) || matcher.start() != at) {
                throw invalid();
            }
            tokens.add(matcher.group().strip());
            at = matcher.end();
        }
    }

    static boolean isTrue(String text, Map<String, String> variables) {
        RuleExpression expression = new RuleExpression(text, variables);
        boolean result = expression.or();
        if (expression.next < expression.tokens.size()) {
            throw expression.invalid();
        }
        return result;
    }

    private boolean or() {
        boolean result = and();
        while (taken("||")) {
            result |= and();
        }
        return result;
    }

    private boolean and() {
        boolean result = comparison();
        while (taken("&&")) {
            result &= comparison();
        }
        return result;
    }

    private boolean comparison() {
        if (taken("!")) {
            return !comparison();
        }
        if (taken("(")) {
            boolean result = or();
            if (!taken(")")) {
                throw invalid();
            }
            return result;
        }
        String leftToken = take();
        String left = value(leftToken);
        if (taken("==")) {
            return equal(left, value(take()));
        }
        if (taken("!=")) {
            return !equal(left, value(take()));
        }
        if (taken("=~")) {
            return matches(left, take());
        }
        if (taken("!~")) {
            return !matches(left, take());
        }
        if (leftToken.startsWith("/")) {
            throw invalid();
        }
        return left != null && !left.isEmpty();
    }

    private boolean matches(@Nullable String left, String token) {
        String regex = token.startsWith("/") ? token : value(token);
        if (left == null || regex == null) {
            return false;
        }
        int end = regex.lastIndexOf('/');
        if (!regex.startsWith("/") || end == 0) {
            return left.contains(regex);
        }
        int flags = (regex.indexOf('i', end) > 0 ? Pattern.CASE_INSENSITIVE : 0)
                | (regex.indexOf('s', end) > 0 ? Pattern.DOTALL : 0)
                | (regex.indexOf('m', end) > 0 ? Pattern.MULTILINE : 0);
        try {
            return Pattern.compile(regex.substring(1, end).replace("\\/", "/"), flags)
                    .matcher(left)
                    .find();
        } catch (PatternSyntaxException e) {
            throw invalid();
        }
    }

    private @Nullable String value(String token) {
        if (token.startsWith("$")) {
            return variables.get(token.substring(1));
        }
        if (token.startsWith("\"") || token.startsWith("'")) {
            return token.substring(1, token.length() - 1);
        }
        if (token.equals("null")) {
            return null;
        }
        if (token.startsWith("/")) {
            return token;
        }
        throw invalid();
    }

    private static boolean equal(@Nullable String left, @Nullable String right) {
        return left == null ? right == null : left.equals(right);
    }

    private boolean taken(String token) {
        if (next < tokens.size() && tokens.get(next).equals(token)) {
            next++;
            return true;
        }
        return false;
    }

    private String take() {
        if (next >= tokens.size()) {
            throw invalid();
        }
        return tokens.get(next++);
    }

    private CiConfigException invalid() {
        return new CiConfigException("rule if invalid expression syntax: " + text);
    }
}
