package dev.mayfly.api.health;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.Timer;
import com.codahale.metrics.health.HealthCheck;
import dev.mayfly.activities.capacity.Hosts;
import io.dropwizard.core.setup.Environment;
import io.prometheus.metrics.exporter.servlet.jakarta.PrometheusMetricsServlet;
import io.prometheus.metrics.instrumentation.dropwizard.DropwizardExports;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import org.jdbi.v3.core.Jdbi;

/**
 * What the admin port tells: {@code /metrics} in Prometheus' format, with everything that Dropwizard measures, and
 * {@code /healthcheck} with one check per dependency.
 */
public final class Monitoring {

    private Monitoring() {}

    /**
     * Called once by the wiring.
     *
     * @param drift how many lasting differences there are between the ledger and what there is
     */
    public static void register(
            Environment environment, Readiness readiness, DoubleSupplier drift, Jdbi jdbi, Hosts hosts) {
        new FleetGauges(jdbi).register(environment.metrics());
        Gauge<Double> lastingDrift = drift::getAsDouble;
        environment.metrics().register("mayfly.ledger.drift", lastingDrift);
        for (Readiness.State dependency : readiness.states()) {
            String name = slug(dependency.name());
            environment.healthChecks().register(name, new Check(readiness, dependency.name()));
            Gauge<Integer> up = () -> readiness.state(dependency.name()).up() ? 1 : 0;
            environment.metrics().register("mayfly.up." + name, up);
        }
        PrometheusRegistry prometheus = new PrometheusRegistry();
        prometheus.register(new AgentFigures(hosts));
        // Prometheus takes the ending "total" for a counter's own: such a timer would have its neighbour's name, and
        // two metrics of one name fail the whole answer.
        DropwizardExports.builder()
                .dropwizardRegistry(environment.metrics())
                .metricFilter((name, metric) -> !(name.endsWith(".total") && metric instanceof Timer))
                .register(prometheus);
        environment
                .admin()
                .addServlet("prometheus", new PrometheusMetricsServlet(prometheus))
                .addMapping("/metrics");
    }

    private static String slug(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }

    /** Says what the last look found; asks nothing itself, so that it never hangs. */
    private static final class Check extends HealthCheck {

        private final Readiness readiness;
        private final String dependency;

        Check(Readiness readiness, String dependency) {
            this.readiness = readiness;
            this.dependency = dependency;
        }

        @Override
        protected Result check() {
            Readiness.State state = readiness.state(dependency);
            return state.up() ? Result.healthy() : Result.unhealthy(String.valueOf(state.problem()));
        }
    }
}
