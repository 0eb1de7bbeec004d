package dev.mayfly.testkit.gitlab.runner;

import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Runner;
import java.util.Map;
import java.util.Objects;

/** What a runner may do about itself with its own token: be verified, removed, given a new token. */
public final class RunnersByToken {
    private final Instance instance;

    public RunnersByToken(Instance instance) {
        this.instance = instance;
    }

    public void routes(Router router) {
        router.rest("POST", "/api/v4/runners/verify", this::verify);
        router.rest("POST", "/api/v4/runners/reset_authentication_token", this::resetToken);
        router.rest("DELETE", "/api/v4/runners/managers", this::deleteManager);
        router.rest("DELETE", "/api/v4/runners", this::delete);
        router.rest("POST", "/api/v4/runners", this::register);
        router.rest("GET", "/api/v4/runners/router/discovery", call -> Reply.empty(501));
    }

    private Reply verify(HttpCall call) {
        Runner runner = authenticate(call);
        String systemId = call.text("system_id");
        runner.contact(
                instance.nextId("manager"),
                systemId == null ? "<legacy>" : systemId,
                Map.of(),
                call.remoteAddress(),
                instance.now());
        return Reply.json(200, Json.object("id", runner.id(), "token", runner.token(), "token_expires_at", null));
    }

    private Reply resetToken(HttpCall call) {
        Runner runner = authenticate(call);
        runner.changeToken(instance.newToken("runner", "glrt-t3_"));
        return Reply.json(201, Json.object("id", runner.id(), "token", runner.token(), "token_expires_at", null));
    }

    private Reply delete(HttpCall call) {
        instance.remove(authenticate(call));
        return Reply.empty(204);
    }

    private Reply deleteManager(HttpCall call) {
        Runner runner = authenticate(call);
        String systemId = Objects.requireNonNullElse(call.required("system_id"), "");
        if (!runner.removeManager(systemId)) {
            throw ApiException.notFound("Runner");
        }
        return Reply.empty(204);
    }

    /** Registration tokens are switched off, as they are by default. */
    private Reply register(HttpCall call) {
        throw new ApiException(410, "410 Gone - runner registration disallowed");
    }

    private Runner authenticate(HttpCall call) {
        Runner runner = instance.runnerByToken(call.required("token"));
        if (runner == null) {
            throw ApiException.forbidden();
        }
        return runner;
    }
}
