package dev.mayfly.testkit.gitlab.admin;

import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.AccessToken;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Runner;
import dev.mayfly.testkit.gitlab.model.User;
import dev.mayfly.testkit.gitlab.pipeline.Builds;
import dev.mayfly.testkit.gitlab.webhook.HookFault;
import dev.mayfly.testkit.gitlab.webhook.Webhooks;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The switches under {@value #PATH}, for the root user's token only: jobs can reach this server too. */
public final class AdminApi {
    public static final String PATH = "/-/simulated-gitlab/admin";

    private final Instance instance;
    private final Switches switches;
    private final Faults faults;
    private final Webhooks webhooks;
    private final Builds builds;

    public AdminApi(Instance instance, Switches switches, Faults faults, Webhooks webhooks, Builds builds) {
        this.instance = instance;
        this.switches = switches;
        this.faults = faults;
        this.webhooks = webhooks;
        this.builds = builds;
    }

    public void routes(Router router) {
        admin(router, "GET", "/switches", call -> Reply.json(200, switches.asMap()));
        admin(router, "PUT", "/switches", this::setSwitches);
        admin(router, "GET", "/http-faults", call -> Reply.json(200, Json.object("faults", faults.all())));
        admin(router, "PUT", "/http-faults", this::setHttpFaults);
        admin(router, "GET", "/webhook-faults", call -> Reply.json(200, Json.object("faults", webhooks.faults())));
        admin(router, "PUT", "/webhook-faults", this::setWebhookFaults);
        admin(router, "GET", "/tokens", this::tokens);
        admin(router, "POST", "/tokens", this::createToken);
        admin(router, "GET", "/runners", this::runners);
        admin(router, "POST", "/jobs/:job/drop", this::drop);
    }

    private void admin(Router router, String method, String path, Router.Handler handler) {
        router.rest(method, PATH + path, call -> {
            AccessToken token = instance.accessTokens().get(call.header("PRIVATE-TOKEN"));
            if (token == null || token.user().id() != 1 || !token.scopes().contains("api") || token.project() != null) {
                throw new ApiException(401, "401 Unauthorized - the switches want root's token as PRIVATE-TOKEN");
            }
            return handler.handle(call);
        });
    }

    private Reply setSwitches(HttpCall call) {
        for (Switches.Setting number : Switches.Setting.values()) {
            if (call.has(number.key())) {
                String text = String.valueOf(call.text(number.key()));
                Long value = text.equals("true")
                        ? Long.valueOf(1)
                        : text.equals("false") ? Long.valueOf(0) : call.number(number.key());
                switches.set(number, Objects.requireNonNull(value));
            }
        }
        return Reply.json(200, switches.asMap());
    }

    private Reply setHttpFaults(HttpCall call) {
        List<HttpFault> wanted = new ArrayList<>();
        for (Map<?, ?> one : call.objects("faults")) {
            wanted.add(new HttpFault(
                    text(one, "method"),
                    Objects.requireNonNullElse(text(one, "path"), "/"),
                    number(one, "status", 0),
                    number(one, "times", -1),
                    number(one, "delayMillis", 0),
                    one.get("retryAfter") == null ? null : Integer.valueOf(number(one, "retryAfter", 0))));
        }
        faults.set(wanted);
        return Reply.json(200, Json.object("faults", faults.all()));
    }

    private Reply setWebhookFaults(HttpCall call) {
        List<HookFault> wanted = new ArrayList<>();
        for (Map<?, ?> one : call.objects("faults")) {
            String action = Objects.requireNonNullElse(text(one, "action"), "");
            if (!List.of("drop", "double", "delay", "reorder", "shuffle").contains(action)) {
                throw ApiException.parameter("action is one of drop, double, delay, reorder, shuffle");
            }
            wanted.add(new HookFault(
                    action,
                    text(one, "event"),
                    text(one, "status"),
                    number(one, "delayMillis", 0),
                    number(one, "times", Integer.MAX_VALUE),
                    Math.max(1, number(one, "every", 1)),
                    0));
        }
        webhooks.setFaults(wanted);
        return Reply.json(200, Json.object("faults", webhooks.faults()));
    }

    private Reply tokens(HttpCall call) {
        List<Map<String, @Nullable Object>> all = new ArrayList<>();
        instance.issuedTokens().forEach((token, kind) -> all.add(Json.object("token", token, "kind", kind)));
        return Reply.json(200, all);
    }

    private Reply createToken(HttpCall call) {
        String username = Objects.requireNonNullElse(call.text("username"), "root");
        User user = username.equals("root")
                ? instance.root()
                : new User(instance.nextId("user") + 1, username, username, username + "@example.com");
        List<String> scopes = call.list("scopes");
        String project = call.text("project");
        Long projectId =
                project == null ? null : Long.valueOf(instance.project(project).id());
        AccessToken token = new AccessToken(
                instance.nextId("token"),
                Objects.requireNonNullElse(call.text("name"), "token"),
                instance.newToken("access", "glpat-"),
                user,
                scopes.isEmpty() ? List.of("api") : scopes,
                projectId,
                Objects.requireNonNullElse(call.number("access_level"), 40L).intValue(),
                instance.now());
        instance.accessTokens().put(token.token(), token);
        return Reply.json(201, Json.object("id", token.id(), "token", token.token(), "scopes", token.scopes()));
    }

    private Reply runners(HttpCall call) {
        List<Map<String, @Nullable Object>> all = new ArrayList<>();
        for (Runner runner : instance.runners().values()) {
            all.add(Json.object(
                    "id", runner.id(),
                    "description", runner.settings().description(),
                    "maintenance_note", runner.settings().maintenanceNote(),
                    "tag_list", runner.settings().tags(),
                    "projects", runner.projects(),
                    "status", runner.status(instance.now())));
        }
        return Reply.json(200, all);
    }

    private Reply drop(HttpCall call) {
        Build build = instance.findBuild(call.id("job"));
        if (build == null || build.status().isComplete()) {
            throw ApiException.notFound("Job that has not ended");
        }
        builds.drop(build, Objects.requireNonNullElse(call.text("reason"), "stuck_or_timeout_failure"), null);
        return Reply.json(
                200, Json.object("id", build.id(), "status", build.status().text()));
    }

    private static @Nullable String text(Map<?, ?> map, String key) {
        Object value = map.get(key);
        return value == null ? null : String.valueOf(value);
    }

    private static int number(Map<?, ?> map, String key, int otherwise) {
        Object value = map.get(key);
        return value instanceof Number number ? number.intValue() : otherwise;
    }
}
