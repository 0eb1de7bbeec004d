package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A guest is heard, and does not fill the log. */
class GuestLogTest {

    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5);
    private GuestLog log;

    @BeforeEach
    void begin() {
        Logger logger = new LoggerContext().getLogger("guests");
        lines.start();
        logger.addAppender(lines);
        log = new GuestLog(logger, now::get);
    }

    @Test
    void theFirstOfEachGuestIsSaidAtOnce() {
        log.warn("a", "a's first");
        log.warn("a", "a's second");
        log.warn("b", "b's first");
        assertThat(messages()).containsExactly("a's first", "b's first");
    }

    @Test
    void afterAMinuteOneMoreWithTheNumberOfThoseLeftOut() {
        for (int i = 0; i < 1000; i++) {
            log.warn("a", "message " + i);
        }
        now.addAndGet(Duration.ofSeconds(60).toNanos());
        log.warn("a", "later");
        log.warn("a", "later still");
        now.addAndGet(Duration.ofSeconds(60).toNanos());
        log.warn("a", "last");
        assertThat(messages())
                .containsExactly(
                        "message 0",
                        "later (999 such messages were left out before this one)",
                        "last (1 such messages were left out before this one)");
    }

    private Stream<String> messages() {
        return lines.list.stream().map(ILoggingEvent::getFormattedMessage);
    }
}
