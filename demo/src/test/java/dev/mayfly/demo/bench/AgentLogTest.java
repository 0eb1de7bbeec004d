package dev.mayfly.demo.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Times of slots are read from lines as the agent writes them. */
final class AgentLogTest {

    @Test
    void theFirstTimeOfEachSlotCounts(@TempDir Path folder) throws IOException {
        Path log = folder.resolve("agent.log");
        Files.writeString(log, """
                NOTE: Picked up JDK_JAVA_OPTIONS: -Dx=y
                2026-11-24T14:05:19.403Z DEBUG HostVms: slot edy35-75: asked to launch for demo/short #75 short 0.25c/256m
                2026-11-24T14:05:19.500Z DEBUG HostVms: slot edy35-76: asked to launch for demo/short #76 short 0.25c/256m
                2026-11-24T14:05:20.000Z DEBUG HostVms: slot edy35-75: asked to launch for demo/short #75 short 0.25c/256m
                2026-11-24T14:05:21.000Z DEBUG GuestChannel: slot edy35-75: guest is ready
                \tat some.stack.Trace(Line.java:1)
                """);

        assertThat(new AgentLog(log).firstTimes(AgentLog.ASKED))
                .isEqualTo(Map.of(
                        "edy35-75", Instant.parse("2026-11-24T14:05:19.403Z"),
                        "edy35-76", Instant.parse("2026-11-24T14:05:19.500Z")));
        assertThat(new AgentLog(log).firstTimes(AgentLog.GUEST_READY)).containsOnlyKeys("edy35-75");
    }
}
