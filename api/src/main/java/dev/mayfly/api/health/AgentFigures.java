package dev.mayfly.api.health;

import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.workflows.agentapi.AgentApi.HostFigures;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jdbi.v3.core.JdbiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What agents measure, as {@code mayfly_agent_*} with the host as their only label. It came with the hosts' leases, so
 * that nobody needs to reach an agent. Nothing while PostgreSQL is away.
 */
final class AgentFigures implements MultiCollector {

    private static final Logger LOG = LoggerFactory.getLogger(AgentFigures.class);

    private final Hosts hosts;

    AgentFigures(Hosts hosts) {
        this.hosts = hosts;
    }

    @Override
    public MetricSnapshots collect() {
        Map<String, HostFigures> all;
        try {
            all = hosts.figures();
        } catch (JdbiException e) {
            LOG.warn("metrics: PostgreSQL doesn't tell the agents' figures now: {}", e.getMessage());
            return new MetricSnapshots();
        }
        return MetricSnapshots.builder()
                .metricSnapshot(gauge(all, "load_average", "Of the host, over one minute", HostFigures::loadAverage))
                .metricSnapshot(gauge(
                        all,
                        "memory_available_bytes",
                        "What new processes could have on the host",
                        HostFigures::memoryAvailableBytes))
                .metricSnapshot(gauge(all, "disk_free_bytes", "Where the VMs' disks are", HostFigures::diskFreeBytes))
                .metricSnapshot(counter(all, "vm_starts", "VMs that were to start", HostFigures::vmStarts))
                .metricSnapshot(
                        counter(all, "vm_start_failures", "VMs that did not start", HostFigures::vmStartsFailed))
                .metricSnapshot(answers(all))
                .build();
    }

    private static GaugeSnapshot gauge(
            Map<String, HostFigures> all, String name, String help, ToDoubleFunction<HostFigures> value) {
        GaugeSnapshot.Builder gauge = GaugeSnapshot.builder().name(named(name)).help(help);
        all.forEach((host, figures) -> gauge.dataPoint(GaugeDataPointSnapshot.builder()
                .labels(of(host))
                .value(value.applyAsDouble(figures))
                .build()));
        return gauge.build();
    }

    private static CounterSnapshot counter(
            Map<String, HostFigures> all, String name, String help, ToDoubleFunction<HostFigures> value) {
        CounterSnapshot.Builder counter =
                CounterSnapshot.builder().name(named(name)).help(help);
        all.forEach((host, figures) -> counter.dataPoint(CounterDataPointSnapshot.builder()
                .labels(of(host))
                .value(value.applyAsDouble(figures))
                .build()));
        return counter.build();
    }

    private static SummarySnapshot answers(Map<String, HostFigures> all) {
        SummarySnapshot.Builder summary = SummarySnapshot.builder()
                .name(named("vm_answer_seconds"))
                .help("From a VM's start until it is ready for a job");
        all.forEach((host, figures) -> summary.dataPoint(SummaryDataPointSnapshot.builder()
                .labels(of(host))
                .count(figures.vmsAnswered())
                .sum(figures.vmAnswerSeconds())
                .build()));
        return summary.build();
    }

    private static String named(String name) {
        return "mayfly_agent_" + name;
    }

    private static Labels of(String host) {
        return Labels.of("host", host);
    }
}
