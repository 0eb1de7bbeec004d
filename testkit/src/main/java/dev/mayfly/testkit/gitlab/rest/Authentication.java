package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.admin.Switches;
import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.RateLimiter;
import dev.mayfly.testkit.gitlab.model.AccessToken;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.User;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Who calls, and may they: access tokens with scopes and roles for REST; users' and jobs' tokens for git. */
public final class Authentication {
    public static final int REPORTER = 20;
    public static final int DEVELOPER = 30;
    public static final int MAINTAINER = 40;

    private final Instance instance;
    private final Switches switches;
    private final RateLimiter limiter = new RateLimiter();

    public Authentication(Instance instance, Switches switches) {
        this.instance = instance;
        this.switches = switches;
    }

    /** The token of a call that has one of the scopes; 401 without a token, 403 with too little. */
    public AccessToken require(HttpCall call, String... scopes) {
        AccessToken token = any(call);
        if (Arrays.stream(scopes).noneMatch(token.scopes()::contains)) {
            throw new ApiException(
                            403,
                            Json.object(
                                    "error", "insufficient_scope",
                                    "error_description",
                                            "The request requires higher privileges than provided by the access token.",
                                    "scope", String.join(" ", scopes)))
                    .withHeader(
                            "WWW-Authenticate",
                            "Bearer realm=\"Protected by OAuth 2.0\", error=\"insufficient_scope\"");
        }
        return token;
    }

    /** A token, whatever its scopes. */
    public AccessToken any(HttpCall call) {
        AccessToken token = instance.accessTokens().get(presented(call));
        if (token == null) {
            throw new ApiException(401, "401 Unauthorized");
        }
        limiter.check(token.token(), switches.get(Switches.Setting.API_LIMIT), instance.now());
        return token;
    }

    /** Reading: {@code api} or {@code read_api}. */
    public AccessToken reader(HttpCall call) {
        return require(call, "api", "read_api");
    }

    public AccessToken writer(HttpCall call) {
        return require(call, "api");
    }

    /** The project of the path: 404 if the token may not see it, 403 if its role is too low. */
    public Project project(HttpCall call, AccessToken token, int accessLevel) {
        Project project = instance.project(call.path("project"));
        Long only = token.project();
        if (only != null && only != project.id()) {
            throw ApiException.notFound("Project");
        }
        if (token.accessLevel() < accessLevel) {
            throw ApiException.forbidden();
        }
        return project;
    }

    /** The project of the path, for a call that reads what its reporters may see. */
    public Project readableProject(HttpCall call) {
        return project(call, reader(call), REPORTER);
    }

    /** The project of the path, for a call that changes what its developers may. */
    public Project writableProject(HttpCall call) {
        return project(call, writer(call), DEVELOPER);
    }

    private static @Nullable String presented(HttpCall call) {
        String header = call.header("PRIVATE-TOKEN");
        if (header != null) {
            return header;
        }
        String bearer = call.header("Authorization");
        if (bearer != null && bearer.startsWith("Bearer ")) {
            return bearer.substring("Bearer ".length()).strip();
        }
        return call.query("private_token");
    }

    /** The user whose token is the password of a git request. */
    public Optional<User> gitUser(HttpCall call) {
        return Optional.ofNullable(instance.accessTokens().get(basic(call)[1])).map(AccessToken::user);
    }

    /** The running job whose token is the password of a git request by {@code gitlab-ci-token}. */
    public Optional<Build> gitJob(HttpCall call) {
        String[] basic = basic(call);
        return basic[0].equals("gitlab-ci-token")
                ? Optional.ofNullable(instance.buildByToken(basic[1]))
                : Optional.empty();
    }

    private static String[] basic(HttpCall call) {
        String header = call.header("Authorization");
        if (header == null || !header.startsWith("Basic ")) {
            return new String[] {"", ""};
        }
        try {
            byte[] decoded = Base64.getDecoder()
                    .decode(header.substring("Basic ".length()).strip());
            String[] parts = new String(decoded, StandardCharsets.UTF_8).split(":", 2);
            return parts.length == 2 ? parts : new String[] {parts[0], ""};
        } catch (IllegalArgumentException e) {
            return new String[] {"", ""};
        }
    }
}
