package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.process.RunningProcess;
import dev.mayfly.agent.vm.qemu.GuardFiles.Exit;
import dev.mayfly.agent.vm.qemu.GuardFiles.Pids;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Notices that guards' VMs ended: one thread looks at the exit files of all of them, as guards are no children of ours. */
final class GuardWatch implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(GuardWatch.class);
    private static final long LOOK_EVERY_MILLIS = 100;

    private final Map<GuardFiles, CompletableFuture<Exit>> watched = new ConcurrentHashMap<>();
    /** Told of once each. */
    private final Set<GuardFiles> unreadable = ConcurrentHashMap.newKeySet();

    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread created = new Thread(task, "guard-watch");
        created.setDaemon(true);
        return created;
    });

    @SuppressWarnings("unused") // kept so that it is clear who owns the task
    private final ScheduledFuture<?> looking =
            thread.scheduleWithFixedDelay(this::look, 0, LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);

    /** Completes once the VM of these files has ended; at once for one that never began. */
    CompletableFuture<Exit> exitOf(GuardFiles files) {
        return watched.computeIfAbsent(files, any -> new CompletableFuture<>());
    }

    private void look() {
        watched.forEach((files, exit) -> {
            try {
                Optional<Exit> seen = exitNow(files);
                if (seen.isPresent()) {
                    watched.remove(files);
                    exit.complete(seen.get());
                }
                unreadable.remove(files);
            } catch (IOException | RuntimeException e) {
                if (unreadable.add(files)) {
                    log.error("could not read {}; its VM is not watched until that is possible", files.folder(), e);
                }
            }
        });
    }

    /** How the boot ended, if it has: by the guard's word, or because there is no guard any more. */
    static Optional<Exit> exitNow(GuardFiles files) throws IOException {
        Optional<Pids> pids = files.readPids();
        boolean guardLives = pids.isPresent() && guardOf(pids.get()).isAlive();
        // Read after the guard was looked for: a guard that has just ended has written it.
        Optional<Exit> exit = files.readExit();
        if (exit.isPresent() || guardLives) {
            return exit;
        }
        String message = pids.isPresent() ? "its guard vanished, and the VMM with it" : "it never started";
        return Optional.of(new Exit("guard-gone", null, null, message));
    }

    static RunningProcess guardOf(Pids pids) {
        return new RunningProcess(pids.guardPid(), pids.guardStart());
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
