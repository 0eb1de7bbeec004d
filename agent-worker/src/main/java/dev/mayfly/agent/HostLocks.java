package dev.mayfly.agent;

import dev.mayfly.agent.network.Ipv4Network;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Keeps agents of one machine apart, as long as their processes live: each holds a lock in its state folder, and one on a
 * file in a common folder that says which address pool and user ids are its own.
 */
final class HostLocks implements AutoCloseable {

    private final FileChannel stateLock;
    private final FileChannel claim;

    private HostLocks(FileChannel stateLock, FileChannel claim) {
        this.stateLock = stateLock;
        this.claim = claim;
    }

    /** Takes the locks, or says in {@code problems} who has what. */
    static @Nullable HostLocks take(AgentConfig config, List<String> problems) throws IOException {
        Path stateDir = Files.createDirectories(config.stateDir()).toRealPath();
        FileChannel stateLock = open(stateDir.resolve("lock"));
        if (!lock(stateLock)) {
            String holder = Files.readString(stateDir.resolve("lock")).strip();
            stateLock.close();
            problems.add(
                    "an agent already runs with stateDir %s (process %s); end it, or give this one another stateDir"
                            .formatted(stateDir, holder));
            return null;
        }
        write(stateLock, Long.toString(ProcessHandle.current().pid()));
        FileChannel claim = claim(config, stateDir, problems);
        if (claim == null) {
            stateLock.close();
            return null;
        }
        return new HostLocks(stateLock, claim);
    }

    private static @Nullable FileChannel claim(AgentConfig config, Path stateDir, List<String> problems)
            throws IOException {
        Path folder = Files.createDirectories(config.lockDir());
        Path own = folder.resolve(
                "agent-" + UUID.nameUUIDFromBytes(stateDir.toString().getBytes(StandardCharsets.UTF_8)));
        int before = problems.size();
        try (FileChannel all = open(folder.resolve("all"));
                FileLock oneAtATime = all.lock();
                DirectoryStream<Path> others = Files.newDirectoryStream(folder, "agent-*")) {
            for (Path other : others) {
                if (!other.equals(own) && isHeld(other)) {
                    clash(config, Files.readString(other).split("\n", -1), problems);
                }
            }
            if (problems.size() > before || !oneAtATime.isValid()) {
                return null;
            }
            FileChannel channel = open(own);
            if (!lock(channel)) {
                throw new IOException("%s is locked, though nobody holds %s".formatted(own, stateDir));
            }
            write(
                    channel,
                    "%s\n%s\n%d\n%d\n"
                            .formatted(
                                    stateDir,
                                    config.addressPool(),
                                    config.uidRange().first(),
                                    config.uidRange().last()));
            return channel;
        }
    }

    private static void clash(AgentConfig config, String[] other, List<String> problems) {
        if (Ipv4Network.parse(other[1]).overlaps(Ipv4Network.parse(config.addressPool()))) {
            problems.add("addressPool %s overlaps %s of the agent with stateDir %s; choose another"
                    .formatted(config.addressPool(), other[1], other[0]));
        }
        long first = Long.parseLong(other[2]);
        if (config.uidRange().overlaps(first, Long.parseLong(other[3]) - first + 1)) {
            problems.add("uidRange overlaps %s-%s of the agent with stateDir %s; choose another"
                    .formatted(other[2], other[3], other[0]));
        }
    }

    private static boolean isHeld(Path file) throws IOException {
        try (FileChannel channel = open(file)) {
            return !lock(channel);
        }
    }

    /** Whether the lock was free; it is held until the channel is closed. */
    private static boolean lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException thisProcess) {
            return false;
        }
    }

    private static void write(FileChannel channel, String text) throws IOException {
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), 0);
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    @Override
    public void close() throws IOException {
        claim.close();
        stateLock.close();
    }
}
