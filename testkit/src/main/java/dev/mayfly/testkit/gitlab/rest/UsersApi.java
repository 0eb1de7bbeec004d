package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.AccessToken;
import dev.mayfly.testkit.gitlab.model.Instance;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Who am I, what may my token do, which version is this. */
public final class UsersApi {
    private final Authentication authentication;
    private final Entities entities;

    public UsersApi(Instance instance, Authentication authentication) {
        this.authentication = authentication;
        this.entities = new Entities(instance);
    }

    public void routes(Router router) {
        router.rest("GET", "/api/v4/version", call -> {
            authentication.require(call, "api", "read_api", "read_user");
            return Reply.json(200, Json.object("version", "19.1.0", "revision", "simulated"));
        });
        router.rest("GET", "/api/v4/metadata", call -> {
            authentication.require(call, "api", "read_api", "read_user");
            return Reply.json(200, Json.object("version", "19.1.0", "revision", "simulated", "enterprise", false));
        });
        router.rest("GET", "/api/v4/user", call -> {
            AccessToken token = authentication.require(call, "api", "read_api", "read_user");
            Map<String, @Nullable Object> user = entities.user(token.user());
            user.put("email", token.user().email());
            user.put("is_admin", token.user().id() == 1);
            user.put("bot", false);
            return Reply.json(200, user);
        });
        router.rest(
                "GET", "/api/v4/personal_access_tokens/self", call -> Reply.json(200, token(authentication.any(call))));
    }

    private static Map<String, @Nullable Object> token(AccessToken token) {
        return Json.object(
                "id",
                token.id(),
                "name",
                token.name(),
                "revoked",
                false,
                "created_at",
                Json.iso(token.createdAt()),
                "description",
                "",
                "scopes",
                token.scopes(),
                "user_id",
                token.user().id(),
                "last_used_at",
                null,
                "active",
                true,
                "expires_at",
                null);
    }
}
