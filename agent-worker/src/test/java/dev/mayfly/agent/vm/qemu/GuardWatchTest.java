package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.mayfly.agent.process.RunningProcess;
import dev.mayfly.agent.vm.qemu.GuardFiles.Exit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A sleeping process stands for the guard. */
@Timeout(20)
class GuardWatchTest {

    @TempDir
    Path folder;

    private GuardFiles files;
    private Process guard;

    @BeforeEach
    void startGuard() throws IOException {
        files = new GuardFiles(folder);
        guard = new ProcessBuilder("sleep", "60").start();
    }

    @AfterEach
    void endGuard() throws Exception {
        guard.destroyForcibly().waitFor();
    }

    private void writePids(long shift) throws IOException {
        long start = RunningProcess.now(guard.pid()).orElseThrow().start();
        Files.writeString(
                files.pids(),
                "{\"guardPid\":%d,\"guardStart\":%d,\"vmmPid\":1,\"vmmStart\":1,\"more\":true}"
                        .formatted(guard.pid(), start + shift));
    }

    private void writeExit() throws IOException {
        Files.writeString(
                files.exit(),
                "{\"reason\":\"time-to-live\",\"exitCode\":null,\"signal\":9,\"message\":\"its time was over\","
                        + "\"atUnixMillis\":5}");
    }

    @Test
    void aVmWhoseGuardLivesRuns() throws Exception {
        writePids(0);
        assertThat(GuardWatch.exitNow(files)).isEmpty();
    }

    @Test
    void theGuardsWordCounts() throws Exception {
        writePids(0);
        writeExit();
        assertThat(GuardWatch.exitNow(files)).contains(new Exit("time-to-live", null, 9, "its time was over"));
    }

    @Test
    void aGuardThatIsGoneWithoutAWordTookItsVmAlong() throws Exception {
        writePids(0);
        guard.destroyForcibly().waitFor();
        assertThat(GuardWatch.exitNow(files)).get().extracting(Exit::reason).isEqualTo("guard-gone");
        writeExit();
        assertThat(GuardWatch.exitNow(files)).get().extracting(Exit::reason).isEqualTo("time-to-live");
    }

    @Test
    void anotherProcessWithTheGuardsIdIsNotTheGuard() throws Exception {
        writePids(1);
        assertThat(GuardWatch.exitNow(files)).get().extracting(Exit::reason).isEqualTo("guard-gone");
    }

    @Test
    void aBootWithoutAGuardNeverStarted() throws Exception {
        assertThat(GuardWatch.exitNow(files)).get().extracting(Exit::message).isEqualTo("it never started");
    }

    @Test
    void aWatchedEndIsNoticedOnceItIsWritten() throws Exception {
        writePids(0);
        try (GuardWatch watch = new GuardWatch()) {
            CompletableFuture<Exit> exit = watch.exitOf(files);
            assertThat(watch.exitOf(files)).as("the same for every asker").isSameAs(exit);
            assertThat(exit).isNotDone();
            writeExit();
            assertThat(exit.get(5, TimeUnit.SECONDS).reason()).isEqualTo("time-to-live");
        }
    }

    @Test
    void filesThatCantBeReadAreNoEndAndAreReadOnceTheyCan() throws Exception {
        Files.writeString(files.pids(), "{\"guardPid\":");
        assertThatThrownBy(() -> GuardWatch.exitNow(files)).isInstanceOf(JsonProcessingException.class);
        try (GuardWatch watch = new GuardWatch()) {
            CompletableFuture<Exit> exit = watch.exitOf(files);
            assertThat(exit).isNotDone();
            writePids(0);
            writeExit();
            assertThat(exit.get(5, TimeUnit.SECONDS).reason()).isEqualTo("time-to-live");
        }
    }
}
