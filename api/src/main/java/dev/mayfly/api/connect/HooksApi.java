package dev.mayfly.api.connect;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import jakarta.ws.rs.core.Form;
import jakarta.ws.rs.core.GenericType;
import jakarta.ws.rs.core.Response.Status;
import java.util.List;
import org.gitlab4j.api.AbstractApi;
import org.gitlab4j.api.GitLabApi;
import org.gitlab4j.api.GitLabApiException;
import org.jspecify.annotations.Nullable;

/** What gitlab4j's own project API lacks: signing tokens of webhooks, their test, and all scopes of our token. */
final class HooksApi extends AbstractApi {

    private static final int PER_PAGE = 100;

    HooksApi(GitLabApi api) {
        super(api);
    }

    /** What our access token may do. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Token(
            @JsonProperty("scopes") List<String> scopes,
            @JsonProperty("expires_at") @Nullable String expiresAt) {}

    Token token() throws GitLabApiException {
        return get(Status.OK, null, "personal_access_tokens", "self").readEntity(Token.class);
    }

    /** A project has a hundred webhooks at most. */
    List<ProjectHook> list(long project) throws GitLabApiException {
        return get(Status.OK, getPageQueryParams(1, PER_PAGE), "projects", project, "hooks")
                .readEntity(new GenericType<List<ProjectHook>>() {});
    }

    ProjectHook add(long project, Form wanted) throws GitLabApiException {
        return post(Status.CREATED, wanted, "projects", project, "hooks").readEntity(ProjectHook.class);
    }

    ProjectHook change(long project, long hook, Form wanted) throws GitLabApiException {
        return putWithFormData(Status.OK, wanted, "projects", project, "hooks", hook)
                .readEntity(ProjectHook.class);
    }

    void remove(long project, long hook) throws GitLabApiException {
        delete(Status.NO_CONTENT, null, "projects", project, "hooks", hook);
    }

    /** Has GitLab deliver the project's latest job event now. */
    void test(long project, long hook) throws GitLabApiException {
        post(Status.CREATED, new Form(), "projects", project, "hooks", hook, "test", "job_events");
    }
}
