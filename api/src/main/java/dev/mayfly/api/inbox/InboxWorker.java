package dev.mayfly.api.inbox;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.activities.inbox.Inbox;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.jobs.Jobs.Standing;
import dev.mayfly.api.loop.Loop;
import dev.mayfly.api.start.JobIntake;
import dev.mayfly.api.start.JobStarter;
import dev.mayfly.api.webhook.JobEvent;
import dev.mayfly.workflows.job.JobKey;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Acts on stored webhooks. What fails because GitLab, Temporal or PostgreSQL is away stays in the inbox and is tried
 * again with back-off; what can't be acted on is done with after one line in the log. Two deliveries about one job are
 * never handled at once in this process, so that "finished" can't overtake "pending" halfway.
 */
public final class InboxWorker implements Loop.Step {

    private static final Logger LOG = LoggerFactory.getLogger(InboxWorker.class);
    private static final Set<String> FINAL = Set.of("success", "failed", "canceled");
    private static final Set<String> UNDER_WAY = Set.of("running", "canceling");
    private static final Set<String> NOT_YET = Set.of(
            "created", "waiting_for_resource", "preparing", "waiting_for_callback", "manual", "scheduled", "skipped");
    private static final int BATCH = 1;
    private static final int STRIPES = 64;
    /** GitLab gives a pending job up after a day; a delivery that could not be handled for so long is history. */
    private static final Duration WORTH_TRYING = Duration.ofDays(1);

    private final Inbox inbox;
    private final Jobs jobs;
    private final JobIntake intake;
    private final JobStarter starter;
    private final ObjectMapper json;
    private final Clock clock;
    private final Object[] stripes = new Object[STRIPES];

    public InboxWorker(Inbox inbox, Jobs jobs, JobIntake intake, JobStarter starter, ObjectMapper json, Clock clock) {
        this.inbox = inbox;
        this.jobs = jobs;
        this.intake = intake;
        this.starter = starter;
        this.json = json;
        this.clock = clock;
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new Object();
        }
    }

    /** Handles what is due; true if there was something. */
    @Override
    public boolean run() {
        return inbox.drain(BATCH, this::handle) > 0;
    }

    void handle(Inbox.Delivery delivery) {
        JobEvent event = JobEvent.parse(json, delivery.body());
        if (event instanceof JobEvent.Changed changed) {
            changed(delivery, changed);
        } else if (event instanceof JobEvent.Ignored ignored) {
            LOG.info("webhook {} of {}: ignored: {}", delivery.deliveryKey(), delivery.instance(), ignored.reason());
        }
    }

    private void changed(Inbox.Delivery delivery, JobEvent.Changed changed) {
        JobKey key = new JobKey(delivery.instance(), changed.projectId(), changed.jobId());
        if (delivery.receivedAt().isBefore(clock.instant().minus(WORTH_TRYING))) {
            LOG.warn("{}: {} given up, it could not be handled for {}", key, changed.status(), WORTH_TRYING);
            return;
        }
        synchronized (stripes[Math.floorMod(key.hashCode(), STRIPES)]) {
            act(key, changed.status());
        }
    }

    private void act(JobKey key, String status) {
        if (status.equals("pending")) {
            intake.consider(key);
        } else if (FINAL.contains(status)) {
            jobs.recordStatus(key, status);
            if (jobs.standing(key) == Standing.ENDED) {
                starter.ended(key, status);
            } else {
                LOG.info("{}: {} ignored: the job is unknown", key, status);
            }
        } else if (UNDER_WAY.contains(status)) {
            if (!jobs.recordStatus(key, status)) {
                LOG.info("{}: {} ignored: the job is unknown, or newer news came first", key, status);
            }
        } else if (NOT_YET.contains(status)) {
            LOG.info("{}: {} ignored: a job gets a VM when it is pending", key, status);
        } else {
            LOG.info("{}: GitLab says '{}', a status unknown here; asking GitLab", key, status);
            intake.consider(key);
        }
    }
}
