package dev.mayfly.testkit.gitlab.runner;

import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Instance;
import org.jspecify.annotations.Nullable;

/** Job calls: the token must be the job's, and the job must not have ended. */
final class JobAuthentication {
    private final Instance instance;

    JobAuthentication(Instance instance) {
        this.instance = instance;
    }

    /** The build, or 403 with its status in {@code Job-Status}, or 404. */
    Build require(HttpCall call, @Nullable String bodyToken) {
        Build build = instance.findBuild(call.id("job"));
        if (build == null) {
            throw new ApiException(404, "404 Not found");
        }
        String header = call.header("JOB-TOKEN");
        if (!build.token().equals(header == null ? bodyToken : header)) {
            throw ApiException.forbidden();
        }
        if (!build.isTokenValid()) {
            throw new ApiException(403, "403 Forbidden - Job is not running")
                    .withHeader("Job-Status", build.status().text());
        }
        return build;
    }
}
