package dev.mayfly.demo.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Percentiles are times that were measured. */
final class DistributionTest {

    @Test
    void ofAHundredTimesThePercentilesAreTheirRanks() {
        List<Duration> times = new java.util.ArrayList<>(
                IntStream.rangeClosed(1, 100).mapToObj(Duration::ofMillis).toList());
        Collections.reverse(times);

        assertThat(Distribution.of(times)).isEqualTo(new Distribution(100, 50, 90, 99, 100));
    }

    @Test
    void ofFewTimesNoneIsInterpolated() {
        assertThat(Distribution.of(Stream.of(10, 20, 40).map(Duration::ofMillis).toList()))
                .isEqualTo(new Distribution(3, 20, 40, 40, 40));
        assertThat(Distribution.of(List.of(Duration.ofMillis(7)))).isEqualTo(new Distribution(1, 7, 7, 7, 7));
    }

    @Test
    void theSlowestOfAThousandIsNotTheNinetyNinthPercentile() {
        List<Duration> times = Stream.concat(
                        Collections.nCopies(990, 1).stream(), Collections.nCopies(10, 500).stream())
                .map(Duration::ofMillis)
                .toList();

        assertThat(Distribution.of(times)).isEqualTo(new Distribution(1000, 1, 1, 1, 500));
    }

    @Test
    void nothingMeasuredIsNoDistribution() {
        assertThatThrownBy(() -> Distribution.of(List.of())).hasMessage("nothing was measured");
    }
}
