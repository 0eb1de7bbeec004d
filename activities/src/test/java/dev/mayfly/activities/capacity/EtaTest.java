package dev.mayfly.activities.capacity;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EtaTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PT40S   | PT1M59S  | in 40 s, in 9 of 10 cases within 119 s",
                "PT7M10S | PT59M59S | in 7 min, in 9 of 10 cases within 59 min",
                "PT2H5M  | PT27H    | in 2 h 5 min, in 9 of 10 cases within 27 h 0 min",
            })
    void timesAreSaidInPeoplesUnits(Duration median, Duration ninety, String words) {
        assertThat(new Eta(median, ninety).words()).isEqualTo(words);
    }
}
