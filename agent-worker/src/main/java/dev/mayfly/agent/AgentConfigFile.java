package dev.mayfly.agent;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code agent.yml} over the defaults, and tells of everything that is wrong with it at once. */
public final class AgentConfigFile {

    private static final Pattern SHORT_DURATION = Pattern.compile("(\\d{1,9})\\s*(ms|s|m|h|d)");

    private AgentConfigFile() {}

    /** What is wrong with the file, one sentence each, with the key's name. */
    public static final class Invalid extends Exception {

        private static final long serialVersionUID = 1;

        private final transient List<String> problems;

        Invalid(List<String> problems) {
            super(String.join("; ", problems));
            this.problems = List.copyOf(problems);
        }

        public List<String> problems() {
            return problems;
        }
    }

    /** Reads the file. */
    public static AgentConfig read(Path file) throws Invalid {
        String yaml;
        try {
            yaml = Files.readString(file);
        } catch (IOException e) {
            throw new Invalid(List.of("%s can't be read (%s); name an existing file by --config"
                    .formatted(file, e.getClass().getSimpleName())));
        }
        return parse(file.toString(), yaml);
    }

    /** As {@link #read}, of a text that is already there. */
    static AgentConfig parse(String file, String yaml) throws Invalid {
        ObjectMapper mapper = mapper();
        List<String> problems;
        try {
            JsonNode user = mapper.readTree(yaml);
            if (!(user instanceof ObjectNode keys)) {
                throw new Invalid(List.of(
                        file + " is empty or no mapping of keys to values; config/agent.yml shows what it holds"));
            }
            ObjectNode all = overlay(defaults(mapper), keys);
            problems = ConfigKeys.problems(mapper, all, AgentConfig.class);
            if (problems.isEmpty()) {
                return mapper.treeToValue(all, AgentConfig.class);
            }
        } catch (JsonProcessingException e) {
            String what = e.getOriginalMessage().lines().findFirst().orElse("does not parse");
            problems = List.of("it is no YAML: " + what + line(e));
        } catch (IOException e) {
            throw new IllegalStateException("the built-in defaults can't be read", e);
        }
        throw new Invalid(
                problems.stream().map(problem -> file + ": " + problem).toList());
    }

    private static String line(JsonProcessingException e) {
        return e.getLocation() == null
                ? ""
                : " (line %d)".formatted(e.getLocation().getLineNr());
    }

    /** Puts the user's keys over the defaults; a section without keys leaves them as they are. */
    private static ObjectNode overlay(ObjectNode defaults, ObjectNode user) {
        user.properties().forEach(each -> {
            JsonNode standing = defaults.path(each.getKey());
            if (standing instanceof ObjectNode section && each.getValue() instanceof ObjectNode over) {
                overlay(section, over);
            } else if (!(standing.isObject() && each.getValue().isNull())) {
                defaults.set(each.getKey(), each.getValue());
            }
        });
        return defaults;
    }

    private static ObjectNode defaults(ObjectMapper mapper) throws IOException {
        try (InputStream in = AgentConfigFile.class.getResourceAsStream("agent-defaults.yml")) {
            if (in == null) {
                throw new IOException("agent-defaults.yml is not on the class path");
            }
            return (ObjectNode) mapper.readTree(in);
        }
    }

    private static ObjectMapper mapper() {
        SimpleModule durations = new SimpleModule().addDeserializer(Duration.class, new DurationDeserializer());
        return JsonMapper.builder(new YAMLFactory())
                .addModule(durations)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
                .build();
    }

    /** {@code 90s}, {@code 5m}, {@code 24h}, {@code 500ms}, {@code 1d} or ISO 8601. */
    private static final class DurationDeserializer extends JsonDeserializer<Duration> {

        @Override
        public @Nullable Duration deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            String text = parser.getText().strip();
            Matcher matcher = SHORT_DURATION.matcher(text);
            if (!matcher.matches()) {
                try {
                    return Duration.parse(text);
                } catch (java.time.format.DateTimeParseException e) {
                    return (Duration) context.handleWeirdStringValue(
                            Duration.class, text, "write a duration such as 90s, 5m or 24h");
                }
            }
            long number = Long.parseLong(matcher.group(1));
            return switch (matcher.group(2)) {
                case "ms" -> Duration.ofMillis(number);
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
            };
        }
    }
}
