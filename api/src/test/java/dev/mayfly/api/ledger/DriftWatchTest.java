package dev.mayfly.api.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.ledger.Difference;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class DriftWatchTest {

    private final Deque<List<String>> looks = new ArrayDeque<>();
    private final DriftWatch watch = new DriftWatch(this::look);

    private Drift.Look look() {
        List<Difference> found =
                looks.remove().stream().map(what -> new Difference("a", what)).toList();
        return new Drift.Look(found, List.of());
    }

    private double after(String... found) {
        looks.add(Stream.of(found).toList());
        assertThat(watch.run()).as("more to do at once").isFalse();
        return watch.lasting();
    }

    @Test
    void onlyWhatTwoLooksInARowHaveSeenCounts() {
        assertThat(watch.lasting()).isNaN();
        assertThat(after("one", "two")).as("nothing to compare with yet").isNaN();
        assertThat(after("two", "three", "four")).isEqualTo(1);
        assertThat(after("three", "four")).isEqualTo(2);
        assertThat(after("five")).isZero();
    }
}
