package dev.mayfly.demo.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.workflows.TaskQueues;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Temporal ignores a setting that it doesn't know, or whose constraints fit nothing, without a word. */
final class TemporalSettingsTest {

    private static final JsonNode SETTINGS = Checkout.yaml("config/temporal-dynamic-config.yml");

    @Test
    void everySettingIsAListOfValuesWithKnownConstraints() {
        assertThat(SETTINGS.size()).isPositive();
        SETTINGS.properties().forEach(setting -> {
            assertThat(setting.getKey()).matches("(history|frontend|matching|limit)\\.[a-zA-Z]+");
            assertThat(setting.getValue()).as(setting.getKey()).isNotEmpty().allSatisfy(value -> {
                assertThat(value.path("value").isInt()).isTrue();
                assertThat(value.path("constraints").properties().stream().map(Map.Entry::getKey))
                        .isSubsetOf("namespace", "taskQueueName");
            });
        });
    }

    @Test
    void constraintsNameOurNamespaceAndOurQueue() {
        Set<String> namespaces = new TreeSet<>();
        Set<String> queues = new TreeSet<>();
        SETTINGS.forEach(values -> values.forEach(value -> {
            if (value.at("/constraints/namespace").isTextual()) {
                namespaces.add(value.at("/constraints/namespace").asText());
            }
            if (value.at("/constraints/taskQueueName").isTextual()) {
                queues.add(value.at("/constraints/taskQueueName").asText());
            }
        }));
        assertThat(namespaces)
                .containsExactly(Checkout.yaml("deploy/api.yml")
                        .at("/temporal/namespace")
                        .asText());
        assertThat(queues).containsExactly(TaskQueues.CONTROL);
    }

    @Test
    void aShardMayReadItsQueueMoreOftenThanTwentyTimesASecond() {
        assertThat(SETTINGS.path("history.transferProcessorMaxPollRPS")
                        .path(0)
                        .path("value")
                        .asInt())
                .isGreaterThanOrEqualTo(2000);
    }
}
