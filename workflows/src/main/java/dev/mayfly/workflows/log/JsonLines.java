package dev.mayfly.workflows.log;

import ch.qos.logback.classic.pattern.RootCauseFirstThrowableProxyConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.LayoutBase;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.workflows.job.JobKey;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A log for machines: one JSON object a line. {@code timestamp} (ISO 8601, UTC), {@code level}, {@code logger},
 * {@code message}, and {@code exception} where there is one. What the line tells of are fields too, where it does:
 *
 * <ul>
 *   <li>{@code job}, a {@link JobKey} as text: it is among the arguments, stands after {@code job} in the message, or the
 *       line comes from the job's workflow or one of its activities, whose id Temporal's SDK puts into the MDC
 *   <li>{@code vm}, the id of its slot: stands after {@code slot}
 *   <li>{@code host}, the id of the host: stands after {@code host}, or is the logging context's property {@code host},
 *       which an agent sets
 * </ul>
 *
 * <p>"Stands after" is seen in the message's template: {@code "slot {}: destroyed"} gives its first argument as
 * {@code vm}. So a line is written once, for people, and nothing is parsed out of text. The first that is named counts.
 */
public final class JsonLines extends LayoutBase<ILoggingEvent> {

    private static final ObjectMapper JSON = new ObjectMapper();
    /** Each placeholder, with the word before it. */
    private static final Pattern PLACEHOLDER = Pattern.compile("(?:(\\w+) )?\\{}");

    private static final Map<String, String> FIELD_OF = Map.of("job", "job", "slot", "vm", "host", "host");
    private static final String TEMPORAL_WORKFLOW = "WorkflowId";

    private final RootCauseFirstThrowableProxyConverter exceptions = new RootCauseFirstThrowableProxyConverter();

    @Override
    public void start() {
        exceptions.start();
        super.start();
    }

    @Override
    public String doLayout(ILoggingEvent event) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("timestamp", event.getInstant().toString());
        line.put("level", event.getLevel().toString());
        line.put("logger", event.getLoggerName());
        addSubjects(event, line);
        line.put("message", event.getFormattedMessage());
        if (event.getThrowableProxy() != null) {
            line.put("exception", exceptions.convert(event));
        }
        try {
            return JSON.writeValueAsString(line) + System.lineSeparator();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of texts can't be written as JSON", e);
        }
    }

    @Override
    public String getContentType() {
        return "application/json";
    }

    private static void addSubjects(ILoggingEvent event, Map<String, Object> line) {
        Object[] arguments = event.getArgumentArray();
        if (arguments != null && event.getMessage() != null) {
            Matcher placeholder = PLACEHOLDER.matcher(event.getMessage());
            for (int i = 0; i < arguments.length && placeholder.find(); i++) {
                addArgument(placeholder.group(1), arguments[i], line);
            }
        }
        JobKey job = jobOf(event.getMDCPropertyMap().get(TEMPORAL_WORKFLOW));
        if (job != null) {
            line.putIfAbsent("job", job.toString());
        }
        String host = event.getLoggerContextVO().getPropertyMap().get("host");
        if (host != null) {
            line.putIfAbsent("host", host);
        }
    }

    private static void addArgument(@Nullable String word, @Nullable Object argument, Map<String, Object> line) {
        if (argument instanceof JobKey) {
            line.putIfAbsent("job", argument.toString());
        } else if (word != null && argument != null && FIELD_OF.containsKey(word)) {
            line.putIfAbsent(FIELD_OF.get(word), argument.toString());
        }
    }

    /** Other workflows than jobs' have ids of other forms. */
    private static @Nullable JobKey jobOf(@Nullable String workflowId) {
        try {
            return workflowId == null ? null : JobKey.parse(workflowId);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
