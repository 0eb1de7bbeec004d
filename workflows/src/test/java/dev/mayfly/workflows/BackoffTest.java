package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Pauses double up to their limit, and begin anew once things go well. */
class BackoffTest {

    @Test
    void aJobInTheQueueLooksAroundEverMoreRarely() {
        Backoff pauses = Timeouts.defaults().queueRechecks();
        assertThat(minutes(pauses, 4)).containsExactly(5L, 10L, 15L, 15L);
        pauses.reset();
        assertThat(minutes(pauses, 2)).containsExactly(5L, 10L);
    }

    @Test
    void oneThatHoldsASlotLooksMoreOften() {
        assertThat(minutes(Timeouts.defaults().rechecks(), 5)).containsExactly(1L, 2L, 4L, 5L, 5L);
    }

    private static List<Long> minutes(Backoff pauses, int count) {
        return Stream.generate(pauses::next)
                .limit(count)
                .map(Duration::toMinutes)
                .toList();
    }
}
