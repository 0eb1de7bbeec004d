package dev.mayfly.testkit.gitlab.ci;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code rules}, {@code only} and {@code except} against one push. */
final class Rules {
    private final CommitFiles files;
    private final String ref;
    private final boolean tag;
    private final String source;

    Rules(CommitFiles files, String ref, boolean tag, String source) {
        this.files = files;
        this.ref = ref;
        this.tag = tag;
        this.source = source;
    }

    RuleOutcome evaluate(@Nullable Object rules, Map<String, String> variables) {
        if (!(rules instanceof List<?> list)) {
            return RuleOutcome.PLAIN;
        }
        for (Object one : flat(list)) {
            Map<String, @Nullable Object> rule = Yaml.map(one);
            if (holds(rule, variables)) {
                String when = Yaml.text(rule.get("when"));
                return "never".equals(when)
                        ? RuleOutcome.EXCLUDED
                        : new RuleOutcome(
                                true,
                                when,
                                rule.get("allow_failure"),
                                rule.get("start_in"),
                                Yaml.map(rule.get("variables")),
                                rule.get("needs"));
            }
        }
        return RuleOutcome.EXCLUDED;
    }

    /** {@code only} and {@code except}; without either, branches and tags. */
    boolean includedByOnlyExcept(@Nullable Object only, @Nullable Object except, Map<String, String> variables) {
        return (only == null || matchesAll(only, variables)) && (except == null || !matchesAny(except, variables));
    }

    private boolean holds(Map<String, @Nullable Object> rule, Map<String, String> variables) {
        Object condition = rule.get("if");
        if (condition != null && !RuleExpression.isTrue(String.valueOf(condition), variables)) {
            return false;
        }
        if (rule.get("changes") != null && !changed(rule.get("changes"), variables)) {
            return false;
        }
        Object exists = rule.get("exists");
        if (exists == null) {
            return true;
        }
        Object paths = exists instanceof Map ? Yaml.map(exists).get("paths") : exists;
        return Globs.anyMatches(expanded(paths, variables), files.list());
    }

    private boolean changed(@Nullable Object changes, Map<String, String> variables) {
        Object paths = changes instanceof Map ? Yaml.map(changes).get("paths") : changes;
        return files.changed()
                .map(changed -> Globs.anyMatches(expanded(paths, variables), changed))
                .orElse(true);
    }

    private boolean matchesAll(Object policy, Map<String, String> variables) {
        if (!(policy instanceof Map)) {
            return refMatches(Yaml.texts(policy));
        }
        Map<String, @Nullable Object> map = Yaml.map(policy);
        return (map.get("refs") == null || refMatches(Yaml.texts(map.get("refs"))))
                && (map.get("variables") == null || anyTrue(map.get("variables"), variables))
                && (map.get("changes") == null || changed(map.get("changes"), variables));
    }

    private boolean matchesAny(Object policy, Map<String, String> variables) {
        if (!(policy instanceof Map)) {
            return refMatches(Yaml.texts(policy));
        }
        Map<String, @Nullable Object> map = Yaml.map(policy);
        return (map.get("refs") != null && refMatches(Yaml.texts(map.get("refs"))))
                || (map.get("variables") != null && anyTrue(map.get("variables"), variables))
                || (map.get("changes") != null && changed(map.get("changes"), variables));
    }

    private static boolean anyTrue(@Nullable Object expressions, Map<String, String> variables) {
        return Yaml.texts(expressions).stream().anyMatch(text -> RuleExpression.isTrue(text, variables));
    }

    private boolean refMatches(List<String> patterns) {
        return patterns.stream().anyMatch(this::refMatches);
    }

    private boolean refMatches(String pattern) {
        String plain = pattern.contains("@") ? pattern.substring(0, pattern.indexOf('@')) : pattern;
        int end = plain.lastIndexOf('/');
        if (plain.startsWith("/") && end > 0) {
            int flags = plain.indexOf('i', end) > 0 ? Pattern.CASE_INSENSITIVE : 0;
            return Pattern.compile(plain.substring(1, end), flags).matcher(ref).find();
        }
        return switch (plain) {
            case "branches" -> !tag;
            case "tags" -> tag;
            case "pushes" -> source.equals("push");
            case "web", "api", "schedules", "triggers", "pipelines", "external" -> plain.startsWith(source);
            case "merge_requests" -> source.equals("merge_request_event");
            default -> plain.equals(ref);
        };
    }

    private static List<String> expanded(@Nullable Object paths, Map<String, String> variables) {
        return Yaml.texts(paths).stream()
                .map(path -> Variables.expand(path, variables))
                .toList();
    }

    private static List<?> flat(List<?> list) {
        return list.stream()
                .flatMap(one -> one instanceof List<?> inner ? flat(inner).stream() : java.util.stream.Stream.of(one))
                .toList();
    }
}
