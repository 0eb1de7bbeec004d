package dev.mayfly.api.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class JobEventTest {

    private static JobEvent parse(String body) {
        return JobEvent.parse(new ObjectMapper(), body.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aJobEventNamesJobProjectAndStatus() {
        assertThat(parse("""
                {"object_kind":"build","build_id":9101,"build_status":"pending","project_id":42,"runner":null,
                 "something_new":{"deep":[1,2]}}""")).isEqualTo(new JobEvent.Changed(42, 9101, "pending"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nonsense",
                "[]",
                "null",
                "\"build\"",
                "{}",
                "{\"object_kind\":5}",
                "{\"object_kind\":\"pipeline\",\"object_attributes\":{\"id\":1}}",
                "{\"object_kind\":\"build\"}",
                "{\"object_kind\":\"build\",\"build_id\":\"9101\",\"build_status\":\"pending\",\"project_id\":42}",
                "{\"object_kind\":\"build\",\"build_id\":-1,\"build_status\":\"pending\",\"project_id\":42}",
                "{\"object_kind\":\"build\",\"build_id\":1e30,\"build_status\":\"pending\",\"project_id\":42}",
                "{\"object_kind\":\"build\",\"build_id\":99999999999999999999,\"build_status\":\"x\",\"project_id\":42}",
                "{\"object_kind\":\"build\",\"build_id\":9101,\"project_id\":42}",
                "{\"object_kind\":\"build\",\"build_id\":9101,\"build_status\":null,\"project_id\":42}"
            })
    void whatMakesNoSenseIsIgnoredWithAReason(String body) {
        assertThat(parse(body))
                .isInstanceOfSatisfying(
                        JobEvent.Ignored.class,
                        ignored -> assertThat(ignored.reason()).isNotBlank());
    }

    @Test
    void bytesThatAreNoTextAreIgnored() {
        byte[] body = {'{', '"', (byte) 0xc3, (byte) 0x28, '"', ':', '1', '}'};
        assertThat(JobEvent.parse(new ObjectMapper(), body)).isInstanceOf(JobEvent.Ignored.class);
    }

    @Test
    void aBodyNestedDeeperThanAnyParserLikesIsIgnored() {
        assertThat(parse("[".repeat(100_000))).isInstanceOf(JobEvent.Ignored.class);
    }

    @Test
    void aStatusCanNotForgeALineOfTheLog() {
        assertThat(parse("""
                {"object_kind":"build","build_id":1,"build_status":"x\\nERROR forged","project_id":2}"""))
                .isInstanceOfSatisfying(
                        JobEvent.Changed.class,
                        changed -> assertThat(changed.status()).isEqualTo("x?ERROR?forged"));
    }
}
