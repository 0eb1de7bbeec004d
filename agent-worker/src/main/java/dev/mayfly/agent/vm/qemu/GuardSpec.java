package dev.mayfly.agent.vm.qemu;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a guard is told; see "Guard" in docs/ARCHITECTURE.md. All paths absolute. */
record GuardSpec(
        String slotId,
        List<String> argv,
        int uid,
        int gid,
        String netns,
        List<Cgroup> cgroups,
        @Nullable String cgroupKill,
        Jail jail,
        List<OpenFile> openFiles,
        String console,
        long consoleLimit,
        long timeToLiveSeconds,
        String heartbeat,
        long heartbeatMaxAgeSeconds,
        String pidFile,
        String exitFile,
        String killRequest) {

    private static final ObjectMapper JSON = JsonMapper.builder().build();

    /** A control group to join, by the file to write into. */
    record Cgroup(String procs) {}

    /**
     * What the VMM finds open for reading, though it could not open it itself.
     *
     * @param fd 100 to 199
     */
    record OpenFile(int fd, String path) {}

    /**
     * All that the VMM sees of the host's files.
     *
     * @param ownFiles a folder in which it finds its own open files, each by its number; null for none
     */
    record Jail(
            List<String> readOnly,
            List<String> readWrite,
            List<String> devices,
            @Nullable String ownFiles) {}

    static List<Cgroup> joining(List<Path> procs) {
        return procs.stream().map(file -> new Cgroup(file.toString())).toList();
    }

    static @Nullable String text(Optional<Path> file) {
        return file.map(Path::toString).orElse(null);
    }

    byte[] toJson() throws IOException {
        return JSON.writeValueAsBytes(this);
    }
}
