package dev.mayfly.testkit.gitlab.runner;

import dev.mayfly.testkit.gitlab.admin.Switches;
import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.pipeline.Builds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code PATCH /jobs/:id/trace}: the log grows (append_build_trace_service.rb, lib/gitlab/ci/trace.rb). */
public final class JobTraces {
    private static final Pattern RANGE = Pattern.compile("(\\d+)-(\\d*)");
    private static final int PATCH_LIMIT = 8 << 20;

    private final Instance instance;
    private final Switches switches;
    private final Builds builds;
    private final JobAuthentication authentication;

    public JobTraces(Instance instance, Switches switches, Builds builds) {
        this.instance = instance;
        this.switches = switches;
        this.builds = builds;
        this.authentication = new JobAuthentication(instance);
    }

    public void routes(Router router) {
        router.streaming("PATCH", "/api/v4/jobs/:job/trace", this::append);
    }

    private Reply append(HttpCall call) throws IOException {
        instance.locked(() -> authentication.require(call, null));
        byte[] body = call.body().readNBytes(PATCH_LIMIT + 1);
        if (body.length > PATCH_LIMIT) {
            throw new ApiException(413, "413 Request Entity Too Large");
        }
        instance.lock().lock();
        try {
            return append(call, authentication.require(call, null), body);
        } finally {
            instance.lock().unlock();
        }
    }

    private Reply append(HttpCall call, Build build, byte[] body) throws IOException {
        String header = call.header("Content-Range");
        Matcher range = RANGE.matcher(header == null ? "" : header);
        if (!range.matches()) {
            return Reply.json(400, Json.object("message", "400 Missing header Content-Range"))
                    .header("Job-Status", build.status().text());
        }
        // The end in the header is not looked at: the body says how long it is.
        long start = Long.parseLong(range.group(1));
        long size = Files.exists(build.trace()) ? Files.size(build.trace()) : 0;
        build.touch(instance.now());
        if (start + body.length > switches.get(Switches.Setting.MAX_TRACE_BYTES)) {
            builds.drop(build, "trace_size_exceeded", null);
            throw new ApiException(403, "403 Forbidden")
                    .withHeader("Job-Status", build.status().text());
        }
        if (start != size) {
            return answer(416, build, size);
        }
        Files.createDirectories(build.trace().getParent());
        Files.write(
                build.trace(), withoutToken(body, build.token()), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return answer(202, build, size + body.length);
    }

    private Reply answer(int status, Build build, long size) {
        return Reply.text(status, status == 202 ? Integer.toString(status) : "416 Range Not Satisfiable")
                .header("Job-Status", build.status().text())
                .header("Range", "0-" + size)
                .header(
                        "X-GitLab-Trace-Update-Interval",
                        Long.toString(switches.get(Switches.Setting.TRACE_UPDATE_INTERVAL)));
    }

    /** GitLab itself overwrites the job's token in what it stores, whatever the runner masked. */
    private static byte[] withoutToken(byte[] body, String token) {
        String text = new String(body, StandardCharsets.ISO_8859_1);
        return text.contains(token)
                ? text.replace(token, "x".repeat(token.length())).getBytes(StandardCharsets.ISO_8859_1)
                : body;
    }
}
