package dev.mayfly.api.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.ControlPlane.Answer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The admin port: Prometheus' metrics, the alerts and the dashboard over them, and one health check per dependency. */
final class MonitoringTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane();

    private static final Path CHECKOUT = Path.of(String.valueOf(System.getenv("MAYFLY_ROOT")));
    private static final Pattern METRIC = Pattern.compile("mayfly_[a-z0-9_]+");
    private static final Pattern REFUSED_WEBHOOK =
            Pattern.compile("WebhookResource_receive_4xx_responses_total\\S* 1\\.0");

    private static final String LEASE = """
            {"hostId":"host-1","agentVersion":"1","capacity":{"milliCpus":4000,"memoryMib":4096,"diskMib":100000},
             "arch":"x86_64","driver":"simulated","epoch":0,"inventory":[],"figures":{"loadAverage":0.5,
             "memoryAvailableBytes":1024,"diskFreeBytes":2048,"vmStarts":7,"vmStartsFailed":2,"vmsAnswered":5,
             "vmAnswerSeconds":2.5}}""";

    @BeforeAll
    static void aHostCalls() {
        Answer answer = CONTROL_PLANE.agent("/agent/v1/lease", ControlPlane.CREDENTIAL, LEASE);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    }

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
                .contains("# TYPE mayfly_slots_live gauge", "mayfly_slots_live 0.0", "# TYPE mayfly_hosts_ready gauge")
                .contains("mayfly_up_gitlab_gl", "mayfly_up_temporal", "mayfly_up_sweeper")
                .contains("mayfly_reconciler_jobs_found", "# TYPE mayfly_ledger_drift gauge")
                .as("two looks are five minutes apart")
                .contains("mayfly_ledger_drift NaN")
                .doesNotContain(ControlPlane.API_TOKEN);
    }

    @Test
    void agentsFiguresComeUpWithTheirLeases() {
        assertThat(admin("/metrics").body())
                .contains("mayfly_agent_load_average{host=\"host-1\"} 0.5")
                .contains("mayfly_agent_memory_available_bytes{host=\"host-1\"} 1024.0")
                .contains("mayfly_agent_disk_free_bytes{host=\"host-1\"} 2048.0")
                .contains("mayfly_agent_vm_starts_total{host=\"host-1\"} 7.0")
                .contains("mayfly_agent_vm_start_failures_total{host=\"host-1\"} 2.0")
                .contains("mayfly_agent_vm_answer_seconds_count{host=\"host-1\"} 5")
                .contains("mayfly_agent_vm_answer_seconds_sum{host=\"host-1\"} 2.5");
    }

    @ParameterizedTest
    @ValueSource(strings = {"deploy/prometheus/mayfly-alerts.yml", "deploy/grafana/mayfly.json"})
    void whatAlertsAndDashboardNameIsThere(String file) throws IOException {
        ControlPlane.await("PostgreSQL is up", () -> admin("/metrics").body().contains("mayfly_up_postgresql 1.0"));
        String text = Files.readString(CHECKOUT.resolve(file));
        Set<String> named = METRIC.matcher(text)
                .results()
                .map(MatchResult::group)
                .filter(name -> !name.endsWith("_")) // the beginning of several
                .collect(Collectors.toSet());
        assertThat(named).hasSizeGreaterThan(10);
        List<String> there = admin("/metrics")
                .body()
                .lines()
                .map(line -> line.split("[ {]", 2)[0])
                .toList();
        assertThat(there).containsAll(named);
        assertThat(there).anyMatch(name -> name.matches("mayfly_up_.+"));
    }

    @Test
    void prometheusUnderstandsTheAlerts() throws Exception {
        Process promtool = new ProcessBuilder(
                        System.getenv().getOrDefault("MAYFLY_PROMTOOL", "promtool"),
                        "check",
                        "rules",
                        CHECKOUT.resolve("deploy/prometheus/mayfly-alerts.yml").toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(promtool.waitFor()).as(said).isZero();
        assertThat(said).contains("16 rules found");
    }

    @Test
    void eachDependencyHasAHealthCheck() {
        ControlPlane.await("all is well", () -> admin("/healthcheck").status() == 200);
        assertThat(admin("/healthcheck").json().fieldNames())
                .toIterable()
                .contains("postgresql", "temporal", "gitlab-gl", "sweeper");
    }
}
