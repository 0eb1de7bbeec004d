package dev.mayfly.api.temporal;

import com.uber.m3.tally.Buckets;
import com.uber.m3.tally.Capabilities;
import com.uber.m3.tally.CapableOf;
import com.uber.m3.tally.RootScopeBuilder;
import com.uber.m3.tally.Scope;
import com.uber.m3.tally.StatsReporter;
import com.uber.m3.util.Duration;
import dev.mayfly.api.loop.Loop;
import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this control plane is behind with the tasks that Temporal has for it. Temporal hands them out in the order in
 * which they come, so whoever adds work while it is behind holds up the jobs that run. Told by the SDK's metrics how long
 * each task waited, by Temporal's clock.
 */
public final class TaskLag implements StatsReporter {

    private static final Logger LOG = LoggerFactory.getLogger(TaskLag.class);
    /** Of a task for a workflow and of one for an activity. */
    private static final String WAITED = "schedule_to_start_latency";

    /** Longer than any task waits but in a flood. */
    private static final Duration LATE = Duration.ofSeconds(2);

    private static final java.time.Duration KEPT_IN_MIND = java.time.Duration.ofSeconds(5);
    private static final Duration REPORT_EVERY = Duration.ofSeconds(10);

    private final Clock clock;
    private volatile Instant lastLate = Instant.MIN;

    public TaskLag(Clock clock) {
        this.clock = clock;
    }

    /** What the SDK is given to report to. */
    Scope scope() {
        return new RootScopeBuilder().reporter(this).reportEvery(REPORT_EVERY);
    }

    /** Whether a task that was started in the last seconds had waited too long. */
    public boolean isBehind() {
        return lastLate.isAfter(clock.instant().minus(KEPT_IN_MIND));
    }

    /** Does what {@code step} does, but while we are behind no more than once at each tick of its loop. */
    public Loop.Step paced(Loop.Step step) {
        return () -> step.run() && !isBehind();
    }

    @Override
    public void reportTimer(String name, Map<String, String> tags, Duration interval) {
        if (name.endsWith(WAITED) && interval.compareTo(LATE) > 0) {
            boolean wasBehind = isBehind();
            lastLate = clock.instant();
            if (!wasBehind) {
                LOG.info("a task of Temporal waited {} s: new jobs are taken in more slowly", interval.getSeconds());
            }
        }
    }

    @Override
    public void reportCounter(String name, Map<String, String> tags, long value) {}

    @Override
    public void reportGauge(String name, Map<String, String> tags, double value) {}

    @Override
    @Deprecated
    @SuppressWarnings("rawtypes") // as the interface has it
    public void reportHistogramValueSamples(
            String name, Map<String, String> tags, Buckets buckets, double lower, double upper, long samples) {}

    @Override
    @Deprecated
    @SuppressWarnings("rawtypes") // as the interface has it
    public void reportHistogramDurationSamples(
            String name, Map<String, String> tags, Buckets buckets, Duration lower, Duration upper, long samples) {}

    @Override
    public Capabilities capabilities() {
        return CapableOf.REPORTING;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
