package dev.mayfly.demo.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.mayfly.agent.AgentConfig;
import dev.mayfly.api.ApiConfiguration;
import dev.mayfly.api.config.AgentsConfig;
import dev.mayfly.api.config.DatabaseConfig;
import dev.mayfly.api.config.GitLabConfig;
import dev.mayfly.api.config.PlacementConfig;
import dev.mayfly.api.config.SweeperConfig;
import dev.mayfly.api.config.TagsConfig;
import dev.mayfly.api.config.TemporalConfig;
import dev.mayfly.api.config.TimeoutsConfig;
import dev.mayfly.api.config.WebhookConfig;
import dev.mayfly.workflows.Timeouts;
import dev.mayfly.workflows.job.Arch;
import io.dropwizard.jackson.Jackson;
import io.dropwizard.util.DataSize;
import java.io.InputStream;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The guide's tables of keys are the programs' keys, no more and no fewer, with their defaults. */
final class ConfigurationReferenceTest {

    private static final Pattern ROW = Pattern.compile("\\| `([A-Za-z.\\[\\]]+)` \\| (?:`([^`]*)` |(needed) |)\\| .*");
    private static final String NEEDED = "needed";
    private static final ObjectMapper YAML = Jackson.newObjectMapper(new YAMLFactory());

    @Test
    void everyKeyOfTheControlPlaneIsExplained() {
        assertThat(documented("## api.yml").keySet()).isEqualTo(apiKeys().keySet());
    }

    @Test
    void everyKeyOfTheAgentIsExplained() {
        assertThat(documented("## agent.yml").keySet())
                .isEqualTo(keys("", AgentConfig.class).keySet());
    }

    @Test
    void theAgentsDefaultsAreThoseOfTheGuide() throws Exception {
        JsonNode defaults;
        try (InputStream file = AgentConfig.class.getResourceAsStream("agent-defaults.yml")) {
            defaults = YAML.readTree(file);
        }
        documented("## agent.yml").forEach((key, documented) -> {
            JsonNode value = defaults.at("/" + key.replace('.', '/'));
            if (value.isArray()) {
                assertThat(documented)
                        .as(key)
                        .isEqualTo(StreamSupport.stream(value.spliterator(), false)
                                .map(JsonNode::asText)
                                .collect(Collectors.joining(", ", "[", "]")));
            } else if (documented.equals(NEEDED)) {
                assertThat(value.isMissingNode()).as(key).isTrue();
            } else {
                assertThat(documented).as(key).isEqualTo(value.isMissingNode() || value.isNull() ? "" : value.asText());
            }
        });
    }

    @Test
    void theControlPlanesDefaultsAreThoseOfTheGuide() throws Exception {
        Map<String, Object> defaults = new TreeMap<>();
        values("tags", TagsConfig.standard(), defaults);
        values("placement", PlacementConfig.standard(), defaults);
        values("webhook", WebhookConfig.standard(), defaults);
        values("sweeper", SweeperConfig.standard(), defaults);
        values("timeouts", Timeouts.defaults(), defaults);
        values("database", least(DatabaseConfig.class, "{url: 'jdbc:postgresql://h:1/d', user: u}"), defaults);
        values("temporal", least(TemporalConfig.class, "{target: 'h:1'}"), defaults);
        values("agents", least(AgentsConfig.class, "{credentialsDir: /hosts}"), defaults);
        values("gitlab[]", least(GitLabConfig.class, "{name: n, url: 'https://g', token: 'env:T'}"), defaults);
        documented("## api.yml").forEach((key, documented) -> {
            Object value = defaults.get(key);
            if (!documented.equals(NEEDED) && value != null && !key.equals("agents.credentialsDir")) {
                assertThat(comparable(documented, value))
                        .as(key)
                        .isEqualTo(comparable(value instanceof Arch arch ? arch.tag() : value.toString(), value));
            }
        });
        assertThat(defaults).hasSizeGreaterThan(30);
    }

    private static Object comparable(String text, Object like) {
        if (like instanceof Duration) {
            return text.startsWith("P")
                    ? Duration.parse(text)
                    : io.dropwizard.util.Duration.parse(text).toJavaDuration();
        }
        if (like instanceof io.dropwizard.util.Duration) {
            return io.dropwizard.util.Duration.parse(text).toJavaDuration();
        }
        return like instanceof DataSize ? DataSize.parse(text).toBytes() : text;
    }

    private static Object least(Class<?> type, String yaml) throws Exception {
        return YAML.readValue(yaml, type);
    }

    /** The leaves of a record with their values. */
    private static void values(String key, @Nullable Object value, Map<String, Object> into) throws Exception {
        if (!(value instanceof Record)) {
            if (value != null) {
                into.put(key, value);
            }
            return;
        }
        for (RecordComponent component : value.getClass().getRecordComponents()) {
            values(key + "." + component.getName(), component.getAccessor().invoke(value), into);
        }
    }

    private static Map<String, Type> apiKeys() {
        Map<String, Type> keys = new TreeMap<>();
        Arrays.stream(ApiConfiguration.class.getConstructors()[0].getParameters())
                .forEach(parameter -> keys.putAll(
                        keys(parameter.getAnnotation(JsonProperty.class).value(), parameter.getParameterizedType())));
        return keys;
    }

    /** The leaves of a configuration type: records are looked into, lists of records get {@code []}. */
    private static Map<String, Type> keys(String key, Type type) {
        if (type instanceof ParameterizedType list && list.getActualTypeArguments()[0] instanceof Class<?> element) {
            return element.isRecord() ? keys(key + "[]", element) : Map.of(key, type);
        }
        Class<?> record = type == TimeoutsConfig.class ? Timeouts.class : (Class<?>) type;
        if (!record.isRecord() || record == AgentConfig.UidRange.class) {
            return Map.of(key, type);
        }
        Map<String, Type> keys = new TreeMap<>();
        Stream.of(record.getRecordComponents())
                .forEach(component -> keys.putAll(keys(
                        key.isEmpty() ? component.getName() : key + "." + component.getName(),
                        component.getGenericType())));
        return keys;
    }

    /** Key and default of each row of a section's table. */
    private static Map<String, String> documented(String heading) {
        String guide = Checkout.text("docs/OPERATING.md");
        int start = guide.indexOf("\n" + heading + "\n");
        assertThat(start).as(heading).isPositive();
        int end = guide.indexOf("\n## ", start + 1);
        Map<String, String> rows = new LinkedHashMap<>();
        guide.substring(start, end)
                .lines()
                .filter(line -> line.startsWith("| `"))
                .forEach(line -> {
                    Matcher row = ROW.matcher(line);
                    assertThat(row.matches()).as(line).isTrue();
                    rows.put(row.group(1), row.group(2) != null ? row.group(2) : row.group(3) != null ? NEEDED : "");
                });
        return new TreeMap<>(rows);
    }
}
