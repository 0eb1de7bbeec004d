package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.model.Instance;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Lists by pages of {@code per_page} with GitLab's headers. */
final class Paging {
    private Paging() {}

    static <T> Reply reply(
            Instance instance, HttpCall call, List<T> all, Function<T, Map<String, @Nullable Object>> entity) {
        int perPage = (int) Math.max(1, Math.min(100, Objects.requireNonNullElse(call.number("per_page"), 20L)));
        int page = (int) Math.max(1, Objects.requireNonNullElse(call.number("page"), 1L));
        int pages = Math.max(1, (all.size() + perPage - 1) / perPage);
        List<Map<String, @Nullable Object>> shown = all.stream()
                .skip((long) (page - 1) * perPage)
                .limit(perPage)
                .map(entity)
                .toList();
        String next = page < pages ? Integer.toString(page + 1) : "";
        return Reply.json(200, shown)
                .header("X-Page", Integer.toString(page))
                .header("X-Per-Page", Integer.toString(perPage))
                .header("X-Total", Integer.toString(all.size()))
                .header("X-Total-Pages", Integer.toString(pages))
                .header("X-Next-Page", next)
                .header("X-Prev-Page", page > 1 ? Integer.toString(page - 1) : "")
                .header("Link", links(instance, call, page, pages, perPage));
    }

    private static String links(Instance instance, HttpCall call, int page, int pages, int perPage) {
        StringBuilder links = new StringBuilder();
        if (page > 1) {
            links.append(link(instance, call, page - 1, perPage, "prev")).append(", ");
        }
        if (page < pages) {
            links.append(link(instance, call, page + 1, perPage, "next")).append(", ");
        }
        links.append(link(instance, call, 1, perPage, "first")).append(", ");
        return links.append(link(instance, call, pages, perPage, "last")).toString();
    }

    private static String link(Instance instance, HttpCall call, int page, int perPage, String relation) {
        String rest = List.of(call.rawQuery().split("&", -1)).stream()
                .filter(pair -> !pair.isEmpty() && !pair.startsWith("page=") && !pair.startsWith("per_page="))
                .filter(pair -> !pair.startsWith("private_token="))
                .map(pair -> pair + "&")
                .collect(Collectors.joining());
        return "<" + instance.url() + call.rawPath() + "?" + rest + "page=" + page + "&per_page=" + perPage
                + ">; rel=\"" + relation + "\"";
    }

    /** {@code {"message": …}} for a deletion and the like. */
    static Reply accepted(String message) {
        return Reply.json(202, Json.object("message", message));
    }
}
