package dev.mayfly.testkit.gitlab.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON as ordered maps: GitLab's answers have nulls and a fixed order of fields, which maps show as they are. */
public final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final DateTimeFormatter ISO_MILLIS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter HOOK_DATE =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'").withZone(ZoneOffset.UTC);

    private Json() {}

    /** An object of the given keys and values in turn. */
    public static Map<String, @Nullable Object> object(@Nullable Object... keysAndValues) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put(String.valueOf(keysAndValues[i]), keysAndValues[i + 1]);
        }
        return map;
    }

    /** The value as UTF-8 JSON. */
    public static byte[] bytes(@Nullable Object value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot write JSON", e);
        }
    }

    /** Parses an object; anything else is a 400, as in GitLab. */
    public static Map<String, Object> parseObject(byte[] json) {
        try {
            String text = new String(json, StandardCharsets.UTF_8);
            Map<String, Object> parsed = MAPPER.readValue(text, new TypeReference<LinkedHashMap<String, Object>>() {});
            return parsed == null ? new LinkedHashMap<>() : parsed;
        } catch (JsonProcessingException e) {
            throw new ApiException(400, Json.object("error", "message body does not match declared format"));
        }
    }

    /** REST's form of a time: ISO-8601 with milliseconds. */
    public static @Nullable String iso(@Nullable Instant time) {
        return time == null ? null : ISO_MILLIS.format(time);
    }

    /** The webhooks' older form of a time. */
    public static @Nullable String hookDate(@Nullable Instant time) {
        return time == null ? null : HOOK_DATE.format(time);
    }

    /** Seconds from one time to another with fractions, or null. */
    public static @Nullable Double seconds(@Nullable Instant from, @Nullable Instant to) {
        return from == null || to == null ? null : ChronoUnit.MICROS.between(from, to) / 1_000_000.0;
    }
}
