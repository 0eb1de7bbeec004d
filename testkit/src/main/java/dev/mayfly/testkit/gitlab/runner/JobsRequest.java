package dev.mayfly.testkit.gitlab.runner;

import dev.mayfly.testkit.gitlab.admin.Switches;
import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.RateLimiter;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Runner;
import dev.mayfly.testkit.gitlab.model.RunnerManager;
import dev.mayfly.testkit.gitlab.pipeline.BuildPayload;
import dev.mayfly.testkit.gitlab.pipeline.Builds;
import java.io.IOException;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code POST /jobs/request}: a runner asks for a job (lib/api/ci/runner.rb, register_job_service.rb). */
public final class JobsRequest {
    private static final Logger log = LoggerFactory.getLogger(JobsRequest.class);

    private final Instance instance;
    private final Switches switches;
    private final Builds builds;
    private final BuildPayload payload;
    private final RateLimiter limiter = new RateLimiter();

    public JobsRequest(Instance instance, Switches switches, Builds builds, BuildPayload payload) {
        this.instance = instance;
        this.switches = switches;
        this.builds = builds;
        this.payload = payload;
    }

    public void routes(Router router) {
        router.streaming("POST", "/api/v4/jobs/request", this::request);
    }

    private Reply request(HttpCall call) throws IOException {
        Map<String, Object> body = call.parameters();
        instance.lock().lock();
        try {
            String token = call.text("token");
            Runner runner = instance.runnerByToken(token == null ? call.header("RUNNER-TOKEN") : token);
            if (runner == null) {
                throw ApiException.forbidden();
            }
            limiter.check(runner.token(), switches.get(Switches.Setting.JOBS_REQUEST_LIMIT), instance.now());
            Map<String, Object> info = info(body);
            RunnerManager manager = runner.contact(
                    instance.nextId("manager"),
                    Objects.requireNonNullElse(call.text("system_id"), "<legacy>"),
                    info,
                    call.remoteAddress(),
                    instance.now());
            if (runner.settings().paused()) {
                return Reply.empty(204);
            }
            if (runner.queueToken().equals(call.text("last_update"))) {
                awaitTick(runner);
                // Workhorse only wakes the runner up, which asks again with the same, then outdated, value.
                return Reply.empty(204);
            }
            return pick(runner, manager, new RunnerFeatures(info));
        } finally {
            instance.lock().unlock();
        }
    }

    /** The first in order, as a rule the lowest id, that the runner may take, dropping those on the way that it could not run. */
    private Reply pick(Runner runner, RunnerManager manager, RunnerFeatures features) {
        List<Build> candidates = instance.builds().stream()
                .filter(build -> build.status() == CiStatus.PENDING && !build.isClaimed() && runner.accepts(build))
                .sorted(order(runner))
                .toList();
        for (Build build : candidates) {
            if (!features.suffice(build)) {
                build.assign(runner, manager, false, null, instance.now());
                builds.drop(build, "runner_unsupported", null);
                continue;
            }
            if (switches.takeOne(Switches.Setting.QUEUE_CONFLICTS)) {
                return Reply.json(409, Json.object("message", "409 Conflict"));
            }
            boolean twoPhase = switches.isOn(Switches.Setting.TWO_PHASE) && features.has("two_phase_job_commit");
            Instant until = instance.now().plusSeconds(switches.get(Switches.Setting.ACKNOWLEDGE_SECONDS));
            builds.assign(build, runner, manager, features.has("cancel_gracefully"), twoPhase ? until : null);
            log.info(
                    "job {} ({}) goes to runner {}{}",
                    build.id(),
                    build.name(),
                    runner.id(),
                    twoPhase ? ", to be acknowledged" : "");
            return Reply.json(201, payload.render(build));
        }
        // Only here: a runner that got a job asks again at once, and is looked through the queue for.
        return Reply.empty(204).header("X-GitLab-Last-Update", runner.queueToken());
    }

    private Comparator<Build> order(Runner runner) {
        if (!switches.isOn(Switches.Setting.CROSS_CLAIMS)) {
            return Comparator.comparingLong(Build::id);
        }
        String note = Objects.requireNonNullElse(runner.settings().maintenanceNote(), "");
        return Comparator.comparing((Build build) -> Pattern.compile("/jobs/%d\\b".formatted(build.id()))
                        .matcher(note)
                        .find())
                .thenComparing(Build::id, Comparator.reverseOrder());
    }

    private void awaitTick(Runner runner) {
        String seen = runner.queueToken();
        long left = TimeUnit.SECONDS.toNanos(switches.get(Switches.Setting.LONG_POLL_SECONDS));
        try {
            while (left > 0 && runner.queueToken().equals(seen)) {
                left = instance.queueTicked().awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Map<String, Object> info(Map<String, Object> body) {
        Map<String, Object> info = new LinkedHashMap<>();
        if (body.get("info") instanceof Map<?, ?> map) {
            map.forEach((key, value) -> {
                if (value != null) {
                    info.put(String.valueOf(key), value);
                }
            });
        }
        return info;
    }
}
