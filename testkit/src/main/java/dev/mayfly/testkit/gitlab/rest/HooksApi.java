package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Hook;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.webhook.Webhooks;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code /projects/:id/hooks}: make, change, test, see what was delivered. */
public final class HooksApi {
    private record Test(Hook hook, @Nullable Build build, Pipeline pipeline) {}

    private final Instance instance;
    private final Authentication authentication;
    private final Webhooks webhooks;
    private final ProjectEntities entities;

    public HooksApi(Instance instance, Authentication authentication, Webhooks webhooks) {
        this.instance = instance;
        this.authentication = authentication;
        this.webhooks = webhooks;
        this.entities = new ProjectEntities(instance);
    }

    public void routes(Router router) {
        String hooks = "/api/v4/projects/:project/hooks";
        router.rest(
                "GET",
                hooks,
                call -> Paging.reply(
                        instance, call, List.copyOf(project(call).hooks().values()), entities::hook));
        router.rest("POST", hooks, this::create);
        router.rest("GET", hooks + "/:hook", call -> Reply.json(200, entities.hook(hook(call))));
        router.rest("PUT", hooks + "/:hook", this::update);
        router.rest("DELETE", hooks + "/:hook", call -> {
            project(call).hooks().remove(hook(call).id());
            return Reply.empty(204);
        });
        router.rest("GET", hooks + "/:hook/events", this::events);
        router.streaming("POST", hooks + "/:hook/test/:trigger", this::test);
    }

    private Project project(HttpCall call) {
        boolean reads = call.method().equals("GET");
        return authentication.project(
                call, reads ? authentication.reader(call) : authentication.writer(call), Authentication.MAINTAINER);
    }

    private Hook hook(HttpCall call) {
        Hook hook = project(call).hooks().get(call.id("hook"));
        if (hook == null) {
            throw new ApiException(404, "404 Not found");
        }
        return hook;
    }

    private Reply create(HttpCall call) {
        Project project = project(call);
        // Push events are on unless switched off, as in GitLab.
        Hook.Settings empty =
                new Hook.Settings(call.required("url"), null, null, null, null, Set.of("push_events"), true, Map.of());
        Hook hook = new Hook(instance.nextId("hook"), project.id(), settings(call, empty), instance.now());
        project.hooks().put(hook.id(), hook);
        return Reply.json(201, entities.hook(hook));
    }

    private Reply update(HttpCall call) {
        Hook hook = hook(call);
        hook.change(settings(call, hook.settings()));
        return Reply.json(200, entities.hook(hook));
    }

    private Hook.Settings settings(HttpCall call, Hook.Settings before) {
        String url = Objects.requireNonNullElse(call.text("url"), before.url());
        if (!url.matches("https?://[^\\s]+")) {
            throw new ApiException(422, "Invalid url given");
        }
        Set<String> events = new LinkedHashSet<>();
        for (String event : ProjectEntities.HOOK_EVENTS) {
            if (call.flag(event, before.events().contains(event))) {
                events.add(event);
            }
        }
        String token = call.text("token");
        if (token != null && !token.isEmpty()) {
            instance.rememberToken("hook", token);
        }
        String signing = call.text("signing_token");
        if (signing != null && !signing.isEmpty()) {
            if (!Webhooks.isSigningToken(signing)) {
                throw new ApiException(422, "Signing token must be whsec_ and a base64 encoded key");
            }
            instance.rememberToken("hook", signing);
        }
        return new Hook.Settings(
                url,
                call.has("name") ? call.text("name") : before.name(),
                call.has("description") ? call.text("description") : before.description(),
                token == null ? before.token() : token.isEmpty() ? null : token,
                signing == null ? before.signingToken() : signing.isEmpty() ? null : signing,
                events,
                call.flag("enable_ssl_verification", before.sslVerification()),
                customHeaders(call, before));
    }

    private static Map<String, String> customHeaders(HttpCall call, Hook.Settings before) {
        if (!call.has("custom_headers")) {
            return before.customHeaders();
        }
        Map<String, String> headers = new LinkedHashMap<>();
        call.objects("custom_headers")
                .forEach(one -> headers.put(String.valueOf(one.get("key")), String.valueOf(one.get("value"))));
        return headers;
    }

    private Reply events(HttpCall call) {
        return Paging.reply(
                instance,
                call,
                hook(call).deliveries(),
                delivery -> Json.object(
                        "id", delivery.id(),
                        "url", delivery.url(),
                        "trigger", delivery.trigger().replace("_events", "_hooks"),
                        "request_headers", delivery.requestHeaders(),
                        "request_data",
                                Json.parseObject(
                                        delivery.requestBody().getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                        "response_headers", Map.of(),
                        "response_body", "",
                        "execution_duration", delivery.seconds(),
                        "response_status", delivery.status(),
                        "created_at", Json.iso(delivery.at())));
    }

    /** The project's newest build or pipeline is sent, without the lock: the receiver may well ask back. */
    private Reply test(HttpCall call) throws IOException {
        call.parameters();
        String trigger = call.path("trigger");
        Test test = instance.locked(() -> {
            Hook hook = hook(call);
            if (!trigger.equals("job_events") && !trigger.equals("pipeline_events")) {
                throw ApiException.parameter("trigger does not have a valid value");
            }
            Pipeline pipeline = instance.pipelines().stream()
                    .filter(one -> one.project().id() == hook.projectId())
                    .reduce((first, second) -> second)
                    .orElseThrow(() -> new ApiException(
                            422, "Ensure the project has CI " + trigger.replace("_events", "s") + "."));
            Build build = trigger.equals("job_events")
                    ? pipeline.latestBuilds().stream().findFirst().orElse(null)
                    : null;
            return new Test(hook, build, pipeline);
        });
        String status = webhooks.test(test.hook(), test.build(), test.pipeline());
        if (status.startsWith("2") || status.startsWith("3")) {
            return Reply.json(201, Json.object("message", "201 Created"));
        }
        return Reply.json(422, Json.object("message", "Hook execution failed: " + status));
    }
}
