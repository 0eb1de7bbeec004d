package dev.mayfly.demo.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The report says every figure with its floor, and which goals were met. */
final class BenchReportTest {

    private final BenchReport report = new BenchReport(
            "2 CPUs",
            Map.of("simulated", 0.5),
            List.of(
                    new Measurement("launch", "the log", new Distribution(10, 60, 70, 80, 90), "the least", floor(40)),
                    new Measurement("answer", "by GitLab", new Distribution(20, 3, 4, 5, 6), null, null)),
            List.of(),
            Map.of("agent", 120.5),
            Map.of("Temporal", 7.5),
            Map.of("best fit", 85.2),
            List.of(new Growth(1250, 1.75, Map.of("Temporal", 514.0), Map.of("Temporal", 1100.0))),
            List.of(Goal.atMost("launch, p50", 60, 40 + 25, "ms"), Goal.atMost("memory", 120.5, 100, "MiB")));

    private static Distribution floor(double p50) {
        return new Distribution(10, p50, p50, p50, p50);
    }

    @Test
    void theJsonHoldsEachFigureBesideItsFloor(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("new/report.json");
        report.writeTo(file);

        JsonNode json = new ObjectMapper().readTree(file.toFile());
        JsonNode launch = json.at("/measurements/0");
        assertThat(launch.at("/measured/p99").asDouble()).isEqualTo(80);
        assertThat(launch.at("/floor/p50").asDouble()).isEqualTo(40);
        assertThat(json.at("/measurements/1").has("floor")).isFalse();
        assertThat(json.at("/goals/0/met").asBoolean()).isTrue();
        assertThat(json.at("/goals/1/met").asBoolean()).isFalse();
        assertThat(json.at("/memory/agent").asDouble()).isEqualTo(120.5);
        assertThat(json.at("/used/best fit").asDouble()).isEqualTo(85.2);
        assertThat(json.at("/growth/0/memory/Temporal").asDouble()).isEqualTo(1100);
        assertThat(json.at("/load/simulated").asDouble()).isEqualTo(0.5);
    }

    @Test
    void theTableSaysWhichGoalsWereMet() {
        assertThat(report.table().lines())
                .anyMatch(line -> line.startsWith("met ") && line.contains("launch, p50") && line.contains("65.00 ms"))
                .anyMatch(line -> line.startsWith("MISSED") && line.contains("memory") && line.contains("100.00 MiB"))
                .anyMatch(line -> line.equals("after 1250 jobs, 1.75 a second"))
                .anyMatch(line -> line.startsWith("Temporal") && line.contains("514.00") && line.contains("1100.00"))
                .anyMatch(line -> line.startsWith("    floor: the least") && line.contains("40.0"));
    }

    @Test
    void aGoalIsMetUpToItsLimitAndNoFurther() {
        assertThat(Goal.atMost("even", 65, 65, "ms").met()).isTrue();
        assertThat(Goal.atMost("over", 65.001, 65, "ms").met()).isFalse();
    }
}
