package dev.mayfly.activities.capacity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.WaitModel.Past;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WaitModelTest {

    /** Waits are long and short in turn. */
    private static List<Past> past(int howMany, double guess, double times) {
        return IntStream.range(0, howMany)
                .mapToObj(i -> new Past(guess, guess * times * (1 + i % 10)))
                .toList();
    }

    @Test
    void nobodyKnowsBeforeSomeHaveWaited() {
        assertThat(new WaitModel(past(WaitModel.LEAST - 1, 60, 1), List.of()).of(60))
                .isEmpty();
        assertThat(new WaitModel(past(WaitModel.LEAST, 60, 1), List.of()).of(60))
                .isPresent();
    }

    @Test
    void aGuessIsCorrectedByHowFarOffItWasLately() {
        Eta eta = new WaitModel(past(60, 60, 2), List.of()).of(100).orElseThrow();
        assertThat(eta.median().toSeconds()).isBetween(900L, 1300L);
        assertThat(eta.ninety().toSeconds()).isBetween(1600L, 2000L);
    }

    @Test
    void whoeverWaitsForLongerThanItsBoundIsLearntFromAtOnce() {
        List<Past> ended = past(60, 60, 1);
        Eta before = new WaitModel(ended, List.of()).of(60).orElseThrow();
        List<Past> waiting =
                IntStream.range(0, 50).mapToObj(i -> new Past(60, 60_000)).toList();
        assertThat(new WaitModel(ended, waiting).of(60).orElseThrow().ninety()).isGreaterThan(before.ninety());
        assertThat(new WaitModel(ended, past(50, 60, 0.01)).of(60).orElseThrow())
                .as("those that wait for less say nothing yet")
                .isEqualTo(before);
    }

    /** The bound for nine in ten holds for 85 to 95 % of the jobs that had to wait on a day with two peaks. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void ofAReplayedDayNineInTenBoundsHold(long seed) {
        ReplayedDay day = new ReplayedDay(seed);
        int bounds = 0;
        int held = 0;
        for (ReplayedDay.Waited waited : day.play()) {
            var eta = new WaitModel(waited.known(), waited.waiting()).of(waited.guess());
            if (eta.isPresent()) {
                bounds++;
                held += waited.seconds() <= eta.get().ninety().toSeconds() ? 1 : 0;
            }
        }
        assertThat(bounds).as("bounds that were given").isGreaterThan(500);
        assertThat((double) held / bounds).as("of %d bounds", bounds).isBetween(0.85, 0.95);
    }
}
