package dev.mayfly.api.health;

import com.codahale.metrics.CachedGauge;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.mayfly.activities.capacity.Hosts;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What waits and what lives, as gauges {@code mayfly.*}: one query for all of them, at most every few seconds however
 * often they are asked for. NaN while PostgreSQL is away.
 */
final class FleetGauges {

    private static final Logger LOG = LoggerFactory.getLogger(FleetGauges.class);
    private static final int SECONDS = 5;
    private static final String NUMBERS = """
            select (select count(*) from inbox where handled_at is null) as "inbox.waiting",
                (select count(*) from outbox where delivered_at is null) as "outbox.waiting",
                (select coalesce(extract(epoch from now() - min(received_at)), 0) from inbox
                    where handled_at is null) as "inbox.oldest.seconds",
                (select coalesce(extract(epoch from now() - min(created_at)), 0) from outbox
                    where delivered_at is null) as "outbox.oldest.seconds",
                (select count(*) from queue where waiting) as "jobs.queued",
                (select coalesce(extract(epoch from now() - min(job.queued_at)), 0) from queue
                    join job on job.key = queue.job_key where queue.waiting) as "jobs.oldest.wait.seconds",
                (select count(*) from host where outdated and forgotten_at is null) as "hosts.outdated",
                (select count(*) from host where abs(clock_ahead_millis) > %d and forgotten_at is null)
                    as "hosts.clock.off",
                (select count(*) from job where phase = 'RUNNING') as "jobs.running",
                (select count(*) from slot where released_at is null) as "slots.live",
                (select count(*) from runner where removed_at is null) as "runners.live",
                (select count(*) from host where accepting) as "hosts.ready",
                (select count(*) from host where state = 'READY' and not accepting) as "hosts.draining",
                (select count(*) from host where state = 'SUSPECT') as "hosts.suspect",
                (select count(*) from host where state = 'LOST' and forgotten_at is null) as "hosts.lost",
                (select coalesce(sum(milli_cpus), 0) from host where accepting) as "capacity.millicpus",
                (select coalesce(sum(memory_mib), 0) from host where accepting) as "capacity.memory.mib",
                (select coalesce(sum(used_milli_cpus), 0) from host) as "reserved.millicpus",
                (select coalesce(sum(used_memory_mib), 0) from host) as "reserved.memory.mib"
            """.formatted(Hosts.MOST_SKEW.toMillis());
    private static final List<String> NAMES = List.of(
            "inbox.waiting",
            "outbox.waiting",
            "inbox.oldest.seconds",
            "outbox.oldest.seconds",
            "jobs.oldest.wait.seconds",
            "hosts.outdated",
            "hosts.clock.off",
            "jobs.queued",
            "jobs.running",
            "slots.live",
            "runners.live",
            "hosts.ready",
            "hosts.draining",
            "hosts.suspect",
            "hosts.lost",
            "capacity.millicpus",
            "capacity.memory.mib",
            "reserved.millicpus",
            "reserved.memory.mib");

    private final Jdbi jdbi;

    FleetGauges(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    void register(MetricRegistry metrics) {
        Gauge<Map<String, Object>> all = new CachedGauge<>(SECONDS, TimeUnit.SECONDS) {
            @Override
            protected Map<String, Object> loadValue() {
                return numbers();
            }
        };
        for (String name : NAMES) {
            Gauge<Object> one = () -> all.getValue().getOrDefault(name, Double.NaN);
            metrics.register("mayfly." + name, one);
        }
    }

    private Map<String, Object> numbers() {
        try {
            return jdbi.withHandle(
                    handle -> handle.createQuery(NUMBERS).mapToMap().one());
        } catch (JdbiException e) {
            LOG.warn("metrics: PostgreSQL doesn't tell the fleet's numbers now: {}", e.getMessage());
            return Map.of();
        }
    }
}
