package dev.mayfly.agent;

import dev.mayfly.agent.network.AddressPlan;
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
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps agents of one machine apart: each holds, as long as its process lives, a lock on a file that says which state
 * folder, address pool and user ids are its own.
 */
final class HostLocks implements AutoCloseable {

    private final FileChannel channel;

    @SuppressWarnings("unused") // held, not read
    private final FileLock held;

    private HostLocks(FileChannel channel, FileLock held) {
        this.channel = channel;
        this.held = held;
    }

    /** Takes the locks, or says in {@code problems} who has what. */
    static @Nullable HostLocks take(AgentConfig config, List<String> problems) throws IOException {
        Path folder = Files.createDirectories(config.lockDir());
        try (FileChannel all = open(folder.resolve("all"));
                FileLock one = all.lock()) {
            Path own = folder.resolve("agent-"
                    + HexFormat.of()
                            .toHexDigits(config.stateDir().toAbsolutePath().hashCode()));
            List<String> clashes = new ArrayList<>();
            try (DirectoryStream<Path> others = Files.newDirectoryStream(folder, "agent-*")) {
                for (Path other : others) {
                    String claim = isHeld(other) ? Files.readString(other) : "";
                    if (!claim.isEmpty()) {
                        clash(config, claim, clashes);
                    }
                }
            }
            problems.addAll(clashes);
            return clashes.isEmpty() && one.isValid() ? lock(config, own) : null;
        }
    }

    private static HostLocks lock(AgentConfig config, Path file) throws IOException {
        FileChannel channel = open(file);
        FileLock lock = channel.tryLock();
        if (lock == null) {
            channel.close();
            throw new IOException(
                    "%s was locked by another process a moment ago; start the agent again".formatted(file));
        }
        String claim = "%s\n%s\n%d\n%d\n"
                .formatted(
                        config.stateDir().toAbsolutePath(),
                        config.addressPool(),
                        config.uidRange().first(),
                        config.uidRange().last());
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(claim.getBytes(StandardCharsets.UTF_8)));
        return new HostLocks(channel, lock);
    }

    private static void clash(AgentConfig config, String claim, List<String> problems) {
        String[] other = claim.split("\n", -1);
        if (other[0].equals(config.stateDir().toAbsolutePath().toString())) {
            problems.add(
                    "an agent already runs with stateDir %s; end it, or give this one another".formatted(other[0]));
            return;
        }
        if (AddressPlan.overlap(other[1], config.addressPool())) {
            problems.add("addressPool %s overlaps %s of the agent with stateDir %s; choose another"
                    .formatted(config.addressPool(), other[1], other[0]));
        }
        if (config.uidRange().first() <= Integer.parseInt(other[3])
                && Integer.parseInt(other[2]) <= config.uidRange().last()) {
            problems.add("uidRange overlaps %s-%s of the agent with stateDir %s; choose another"
                    .formatted(other[2], other[3], other[0]));
        }
    }

    private static boolean isHeld(Path file) throws IOException {
        try (FileChannel channel = open(file);
                FileLock lock = channel.tryLock()) {
            return lock == null;
        } catch (OverlappingFileLockException e) {
            return true;
        }
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
