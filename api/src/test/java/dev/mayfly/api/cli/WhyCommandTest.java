package dev.mayfly.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class WhyCommandTest {

    private static String shown(String eta) throws JsonProcessingException {
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        PrintStream to = new PrintStream(shown, true, StandardCharsets.UTF_8);
        new WhyCommand(to)
                .show(
                        new ObjectMapper()
                                .readTree("{\"code\":\"NO_ROOM\",\"reason\":\"r\",\"position\":3,\"eta\":%s}"
                                        .formatted(eta)),
                        to);
        return shown.toString(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PT40S   | PT1M59S  | gets a slot in 40 s, in 9 of 10 cases within 119 s",
                "PT7M10S | PT59M59S | gets a slot in 7 min, in 9 of 10 cases within 59 min",
                "PT2H5M  | PT27H    | gets a slot in 2 h 5 min, in 9 of 10 cases within 27 h 0 min",
            })
    void whenItGetsASlotIsSaidInPeoplesUnits(String median, String ninety, String words)
            throws JsonProcessingException {
        assertThat(shown("{\"median\":\"%s\",\"ninety\":\"%s\"}".formatted(median, ninety)))
                .contains("place in the queue: 3")
                .contains(words);
    }

    @Test
    void whatNobodyKnowsIsNotGuessed() throws JsonProcessingException {
        assertThat(shown("null")).contains("when it gets a slot is unknown");
    }
}
