package dev.mayfly.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells guards that this agent lives, by a file's time: a killed agent can't fence its VMs itself, so its guards end
 * them once the file is too old.
 */
final class Heartbeat implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Heartbeat.class);
    private static final int BEATS_PER_LIMIT = 9;

    private final Path file;
    private final Clock clock;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread created = new Thread(task, "heartbeat");
        created.setDaemon(true);
        return created;
    });

    Heartbeat(Path file, Clock clock) {
        this.file = file;
        this.clock = clock;
    }

    /** Beats now, and from now on often enough for guards of this limit. */
    void start(Duration limit) throws IOException {
        beat();
        long every = Math.max(1, limit.toMillis() / BEATS_PER_LIMIT);
        var unused = thread.scheduleAtFixedRate(this::tryBeat, every, every, TimeUnit.MILLISECONDS);
    }

    private void beat() throws IOException {
        if (!Files.exists(file)) {
            Files.createFile(file);
        }
        Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
    }

    private void tryBeat() {
        try {
            beat();
        } catch (IOException | RuntimeException e) {
            log.error("{} can't be touched; guards end all VMs of this host if that stays so", file, e);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
