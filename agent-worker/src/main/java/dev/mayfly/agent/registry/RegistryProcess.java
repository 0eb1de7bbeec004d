package dev.mayfly.agent.registry;

import dev.mayfly.agent.process.Commands;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running {@code docker-registry}, started anew when it ends by itself. It ends with the agent: the kernel kills it when
 * the thread that started it is gone, and that thread is this one's keeper. What it says is read, so that it fills no disk.
 */
final class RegistryProcess implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RegistryProcess.class);
    private static final long ANSWERS_WITHIN_NANOS = 30_000_000_000L;
    private static final long POLL_MILLIS = 20;
    private static final long PAUSE_MILLIS = 1000;

    private final Commands commands;
    private final String name;
    private final List<String> argv;
    private final Path socket;
    private final Thread keeper;
    private volatile @Nullable Process process;
    private volatile boolean closed;
    private volatile String said = "";

    private RegistryProcess(Commands commands, String name, List<String> argv, Path socket) {
        this.commands = commands;
        this.name = name;
        this.argv = List.copyOf(argv);
        this.socket = socket;
        this.keeper = new Thread(this::keep, "registry-" + name);
        keeper.setDaemon(true);
    }

    /**
     * Starts it; returns once it answers.
     *
     * @param name for people
     * @param socket the UNIX socket that it listens on
     */
    static RegistryProcess start(Commands commands, String name, List<String> argv, Path socket) throws IOException {
        RegistryProcess started = new RegistryProcess(commands, name, argv, socket);
        started.keeper.start();
        try {
            started.awaitAnswer();
            return started;
        } catch (IOException e) {
            started.close();
            throw e;
        }
    }

    Path socket() {
        return socket;
    }

    private void awaitAnswer() throws IOException {
        long deadline = System.nanoTime() + ANSWERS_WITHIN_NANOS;
        while (!answers()) {
            if (System.nanoTime() > deadline) {
                throw new IOException("the registry %s does not answer within 30 s: %s".formatted(name, said));
            }
            pause(POLL_MILLIS);
        }
    }

    private boolean answers() {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException notYet) {
            return false;
        }
    }

    private void keep() {
        while (!closed) {
            try {
                run();
            } catch (IOException e) {
                said = String.valueOf(e.getMessage());
            }
            if (!closed) {
                log.warn("the registry {} ended and is started anew: {}", name, said);
                try {
                    pause(PAUSE_MILLIS);
                } catch (InterruptedIOException e) {
                    return;
                }
            }
        }
    }

    private void run() throws IOException {
        Files.deleteIfExists(socket); // of the one before, which would keep this one from listening
        Process started = commands.startServant(argv);
        process = started;
        if (closed) {
            started.destroyForcibly();
        }
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                said = line;
                log.debug("registry {}: {}", name, line);
            }
        }
    }

    private static void pause(long millis) throws InterruptedIOException {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a registry starts");
        }
    }

    /** Ends it, whatever it is doing. */
    @Override
    public void close() {
        closed = true;
        Process running = process;
        if (running != null) {
            running.destroyForcibly();
        }
        keeper.interrupt();
        try {
            if (running != null && !running.waitFor(5, TimeUnit.SECONDS)) {
                log.warn("the registry {} does not end; look for process {} in state D", name, running.pid());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
