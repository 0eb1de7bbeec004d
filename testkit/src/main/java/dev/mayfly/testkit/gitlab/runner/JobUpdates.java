package dev.mayfly.testkit.gitlab.runner;

import dev.mayfly.testkit.gitlab.admin.Switches;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.pipeline.BuildPayload;
import dev.mayfly.testkit.gitlab.pipeline.Builds;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Objects;

/**
 * {@code PUT /jobs/:id}: keep-alive, two-phase commit and the end (lib/api/ci/runner.rb, update_build_state_service.rb).
 * Two-phase commit and {@code canceling} are held to source, not to a running client: no released runner at hand speaks
 * them.
 */
public final class JobUpdates {
    private final Instance instance;
    private final Switches switches;
    private final Builds builds;
    private final JobAuthentication authentication;

    public JobUpdates(Instance instance, Switches switches, Builds builds) {
        this.instance = instance;
        this.switches = switches;
        this.builds = builds;
        this.authentication = new JobAuthentication(instance);
    }

    public void routes(Router router) {
        router.rest("PUT", "/api/v4/jobs/:job", this::update);
    }

    private Reply update(HttpCall call) throws IOException {
        Build build = authentication.require(call, call.text("token"));
        String state = Objects.requireNonNullElse(call.text("state"), "");
        build.touch(instance.now());
        int status = build.isClaimed() ? acknowledge(build, state) : update(call, build, state);
        return Reply.text(status, Integer.toString(status))
                .header("Job-Status", build.status().text())
                .header(
                        "X-GitLab-Trace-Update-Interval",
                        Long.toString(switches.get(Switches.Setting.TRACE_UPDATE_INTERVAL)));
    }

    /** Claimed, not yet running: only "still preparing" and "runs now" make sense. */
    private int acknowledge(Build build, String state) {
        switch (state) {
            case "pending" ->
                build.acknowledge(instance.now().plusSeconds(switches.get(Switches.Setting.ACKNOWLEDGE_SECONDS)));
            case "running" -> builds.start(build);
            default -> {
                return 400;
            }
        }
        return 200;
    }

    private int update(HttpCall call, Build build, String state) throws IOException {
        switch (state) {
            case "running" -> {
                return 200;
            }
            case "success", "failed" -> {
                if (switches.takeOne(Switches.Setting.REJECT_CHECKSUMS)) {
                    Files.deleteIfExists(build.trace());
                    return 412;
                }
                if (switches.takeOne(Switches.Setting.ACCEPT_FINALS)) {
                    return 202;
                }
                Long exitCode = call.number("exit_code");
                builds.finish(
                        build, state.equals("success"), reason(call), exitCode == null ? null : exitCode.intValue());
                return 200;
            }
            default -> {
                return 400;
            }
        }
    }

    private static String reason(HttpCall call) {
        String reason = call.text("failure_reason");
        return reason != null && BuildPayload.isKnownFailureReason(reason) ? reason : "unknown_failure";
    }
}
