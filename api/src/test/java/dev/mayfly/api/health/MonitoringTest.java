package dev.mayfly.api.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.ControlPlane.Answer;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The admin port: Prometheus' metrics and one health check per dependency. */
final class MonitoringTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane();

    private static final Pattern REFUSED_WEBHOOK =
            Pattern.compile("WebhookResource_receive_4xx_responses_total\\S* 1\\.0");

    private static Answer admin(String path) {
        return CONTROL_PLANE.send("GET", CONTROL_PLANE.adminUrl() + path, Map.of(), new byte[0]);
    }

    @Test
    void metricsAreInPrometheusFormat() {
        ControlPlane.await("PostgreSQL is up", () -> admin("/metrics").body().contains("mayfly_up_postgresql 1.0"));
        CONTROL_PLANE.webhook("metrics-1", "{}");
        CONTROL_PLANE.webhook(Map.of(), new byte[0]);
        ControlPlane.await(
                "the refused webhook is counted, which is after its answer",
                () -> REFUSED_WEBHOOK.matcher(admin("/metrics").body()).find());
        Answer answer = admin("/metrics");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.type()).startsWith("text/plain");
        assertThat(answer.body())
                .contains("# TYPE mayfly_slots_live gauge", "mayfly_slots_live 0.0", "mayfly_hosts_ready 0.0")
                .contains("mayfly_up_gitlab_gl", "mayfly_up_temporal", "mayfly_up_sweeper")
                .contains("mayfly_reconciler_jobs_found", "# TYPE mayfly_ledger_drift gauge")
                .as("two looks are five minutes apart")
                .contains("mayfly_ledger_drift NaN")
                .doesNotContain(ControlPlane.API_TOKEN);
    }

    @Test
    void eachDependencyHasAHealthCheck() {
        ControlPlane.await("all is well", () -> admin("/healthcheck").status() == 200);
        assertThat(admin("/healthcheck").json().fieldNames())
                .toIterable()
                .contains("postgresql", "temporal", "gitlab-gl", "sweeper");
    }
}
