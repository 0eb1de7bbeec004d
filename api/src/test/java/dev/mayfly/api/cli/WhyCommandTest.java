package dev.mayfly.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

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

    @Test
    void whenItGetsASlotIsSaid() throws JsonProcessingException {
        assertThat(shown("{\"words\":\"in 40 s, in 9 of 10 cases within 119 s\"}"))
                .contains("place in the queue: 3")
                .contains("gets a slot in 40 s, in 9 of 10 cases within 119 s");
    }

    @Test
    void whatNobodyKnowsIsNotGuessed() throws JsonProcessingException {
        assertThat(shown("null")).contains("when it gets a slot is unknown");
    }
}
