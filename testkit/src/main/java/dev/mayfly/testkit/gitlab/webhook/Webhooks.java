package dev.mayfly.testkit.gitlab.webhook;

import dev.mayfly.testkit.gitlab.admin.Switches;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.Hook;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.pipeline.CiEvents;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends job and pipeline events to projects' hooks: in the background, at most once, in no sure order, with a time-out of
 * ten seconds and no second try. A hook that keeps failing is switched off. Faults can be set for what comes next.
 */
public final class Webhooks implements CiEvents, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Webhooks.class);
    /** The only statuses of a build that send an event. */
    private static final Set<CiStatus> SENT = Set.of(
            CiStatus.CREATED, CiStatus.PENDING, CiStatus.RUNNING, CiStatus.SUCCESS, CiStatus.FAILED, CiStatus.CANCELED);

    private final Instance instance;
    private final Switches switches;
    private final HookPayloads payloads;
    private final HookClient client;
    private final ScheduledThreadPoolExecutor senders = new ScheduledThreadPoolExecutor(8, task -> {
        Thread thread = new Thread(task, "webhooks");
        thread.setDaemon(true);
        return thread;
    });
    private final List<HookFault> faults = new ArrayList<>();
    private final List<Runnable> heldBack = new ArrayList<>();

    public Webhooks(Instance instance, Switches switches, List<Path> trusted) {
        this.instance = instance;
        this.switches = switches;
        this.payloads = new HookPayloads(instance);
        this.client = new HookClient(trusted);
    }

    @Override
    public void buildChanged(Build build) {
        if (SENT.contains(build.status())) {
            queue(
                    build.project(),
                    new HookEvent("Job Hook", "job_events", build.status().text(), payloads.build(build)));
        }
    }

    @Override
    public void pipelineChanged(Pipeline pipeline) {
        queue(
                pipeline.project(),
                new HookEvent(
                        "Pipeline Hook", "pipeline_events", pipeline.status().text(), payloads.pipeline(pipeline)));
    }

    /** Whether this can be a hook's {@code signing_token}. */
    public static boolean isSigningToken(String token) {
        return HookSignature.isValid(token);
    }

    /** Sends one event now, as a user's test does; the answer's status, or empty if there was none. */
    public String test(Hook hook, @Nullable Build build, Pipeline pipeline) {
        HookEvent event = build != null
                ? new HookEvent("Job Hook", "job_events", build.status().text(), payloads.build(build))
                : new HookEvent(
                        "Pipeline Hook", "pipeline_events", pipeline.status().text(), payloads.pipeline(pipeline));
        return send(hook, event, UUID.randomUUID().toString());
    }

    /** Replaces all faults. */
    public void setFaults(List<HookFault> newFaults) {
        synchronized (faults) {
            faults.clear();
            faults.addAll(newFaults);
        }
    }

    public List<HookFault> faults() {
        synchronized (faults) {
            return List.copyOf(faults);
        }
    }

    @Override
    public void close() {
        senders.shutdownNow();
    }

    private void queue(Project project, HookEvent event) {
        for (Hook hook : project.hooks().values()) {
            if (hook.settings().events().contains(event.trigger()) && isOn(hook)) {
                queue(hook, event);
            }
        }
    }

    private boolean isOn(Hook hook) {
        return hook.isExecutable(instance.now()) || !switches.isOn(Switches.Setting.AUTO_DISABLE_HOOKS);
    }

    private void queue(Hook hook, HookEvent event) {
        String key = UUID.randomUUID().toString();
        Runnable send = () -> {
            // Looked at again: it may have been switched off meanwhile.
            if (instance.locked(() -> isOn(hook))) {
                send(hook, event, key);
            }
        };
        HookFault fault = nextFault(event);
        String action = fault == null ? "" : fault.action();
        switch (action) {
            case "drop" ->
                log.info(
                        "fault: {} {} for {} dropped",
                        event.event(),
                        event.status(),
                        hook.settings().url());
            case "double" -> {
                schedule(send, 0);
                schedule(send, fault == null ? 0 : fault.delayMillis());
            }
            case "delay" -> schedule(send, fault == null ? 0 : fault.delayMillis());
            case "shuffle" ->
                schedule(send, ThreadLocalRandom.current().nextInt(fault == null ? 1 : fault.delayMillis() + 1));
            case "reorder" -> {
                synchronized (faults) {
                    heldBack.add(send);
                }
            }
            default -> {
                schedule(send, 0);
                synchronized (faults) {
                    heldBack.forEach(late -> schedule(late, 500));
                    heldBack.clear();
                }
            }
        }
    }

    private @Nullable HookFault nextFault(HookEvent event) {
        synchronized (faults) {
            for (int i = 0; i < faults.size(); i++) {
                HookFault fault = faults.get(i);
                if (fault.matches(event)) {
                    faults.set(i, fault.next());
                    if (fault.isNext()) {
                        return fault;
                    }
                }
            }
            return null;
        }
    }

    private void schedule(Runnable send, long delayMillis) {
        try {
            ScheduledFuture<?> unused = senders.schedule(guarded(send), delayMillis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            log.debug("closing: an event is not sent");
        }
    }

    private static Runnable guarded(Runnable send) {
        return () -> {
            try {
                send.run();
            } catch (RuntimeException e) {
                log.error("sending an event failed", e);
            }
        };
    }

    private String send(Hook hook, HookEvent event, String key) {
        byte[] body = Json.bytes(event.payload());
        Hook.Settings settings = hook.settings();
        Map<String, String> headers = headers(settings, event, key, body);
        long begin = System.nanoTime();
        String status;
        try {
            status = Integer.toString(client.post(settings.url(), settings.sslVerification(), headers, body));
        } catch (IOException | IllegalArgumentException e) {
            log.info("hook {} of project {} failed: {}", hook.id(), hook.projectId(), e.toString());
            status = "internal error";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "internal error";
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        record(hook, event, headers, body, status, seconds);
        return status;
    }

    private void record(
            Hook hook, HookEvent event, Map<String, String> headers, byte[] body, String status, double seconds) {
        Map<String, String> shown = new LinkedHashMap<>(headers);
        shown.computeIfPresent("X-Gitlab-Token", (name, value) -> "[REDACTED]");
        instance.locked(() -> {
            hook.record(new Hook.Delivery(
                    instance.nextId("delivery"),
                    hook.settings().url(),
                    event.trigger(),
                    shown,
                    new String(body, StandardCharsets.UTF_8),
                    status,
                    seconds,
                    instance.now()));
            if (status.startsWith("2") || status.startsWith("3")) {
                hook.succeeded();
            } else if (switches.isOn(Switches.Setting.AUTO_DISABLE_HOOKS)) {
                hook.failed(instance.now());
            }
            return true;
        });
    }

    private Map<String, String> headers(Hook.Settings settings, HookEvent event, String key, byte[] body) {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Content-Type", "application/json");
        headers.put("User-Agent", "GitLab/19.1.0");
        headers.put("X-Gitlab-Event", event.event());
        headers.put("X-Gitlab-Instance", instance.url());
        headers.put("X-Gitlab-Webhook-UUID", UUID.randomUUID().toString());
        headers.put("X-Gitlab-Event-UUID", UUID.randomUUID().toString());
        headers.put("Idempotency-Key", key);
        if (settings.token() != null) {
            headers.put("X-Gitlab-Token", settings.token());
        }
        if (settings.signingToken() != null) {
            String timestamp = Long.toString(instance.now().getEpochSecond());
            headers.put("webhook-id", key);
            headers.put("webhook-timestamp", timestamp);
            headers.put("webhook-signature", HookSignature.sign(settings.signingToken(), key, timestamp, body));
        }
        headers.putAll(settings.customHeaders());
        return headers;
    }
}
