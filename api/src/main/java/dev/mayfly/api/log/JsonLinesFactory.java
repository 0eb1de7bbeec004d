package dev.mayfly.api.log;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.LayoutBase;
import com.fasterxml.jackson.annotation.JsonTypeName;
import dev.mayfly.workflows.log.JsonLines;
import io.dropwizard.logging.common.layout.DiscoverableLayoutFactory;
import java.util.TimeZone;

/** {@code layout: {type: json}} of an appender. Times are in UTC, whatever its {@code timeZone}. */
@JsonTypeName("json")
public final class JsonLinesFactory implements DiscoverableLayoutFactory<ILoggingEvent> {

    @Override
    public LayoutBase<ILoggingEvent> build(LoggerContext context, TimeZone timeZone) {
        JsonLines lines = new JsonLines();
        lines.setContext(context);
        return lines;
    }
}
