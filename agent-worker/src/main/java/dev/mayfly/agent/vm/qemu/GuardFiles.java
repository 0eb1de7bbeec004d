package dev.mayfly.agent.vm.qemu;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The files by which agent and guard of one boot speak: they outlive both. The guard writes {@code pids} before the VMM
 * runs and {@code exit} when nothing of it is left.
 */
record GuardFiles(Path folder) {

    private static final ObjectMapper JSON = JsonMapper.builder().build();

    /** Who runs; start times tell a process from a later one with the same id. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Pids(long guardPid, long guardStart, long vmmPid, long vmmStart) {}

    /** How the VMM ended, in the guard's words. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Exit(
            String reason,
            @Nullable Integer exitCode,
            @Nullable Integer signal,
            String message) {}

    Path spec() {
        return folder.resolve("spec.json");
    }

    Path pids() {
        return folder.resolve("pids.json");
    }

    Path exit() {
        return folder.resolve("exit.json");
    }

    Path killRequest() {
        return folder.resolve("kill");
    }

    Path console() {
        return folder.resolve("console.log");
    }

    /** What the guard itself says if it can't even read its spec. */
    Path log() {
        return folder.resolve("guard.log");
    }

    /** The folder that belongs to the VM's user. */
    Path vmFolder() {
        return folder.resolve("vm");
    }

    Optional<Pids> readPids() throws IOException {
        return read(pids(), Pids.class);
    }

    Optional<Exit> readExit() throws IOException {
        return read(exit(), Exit.class);
    }

    private static <T> Optional<T> read(Path file, Class<T> type) throws IOException {
        try {
            return Optional.of(JSON.readValue(Files.readAllBytes(file), type));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        }
    }
}
