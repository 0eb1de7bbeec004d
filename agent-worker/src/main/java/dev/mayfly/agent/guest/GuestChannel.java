package dev.mayfly.agent.guest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.mayfly.workflows.job.Executor;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Talks to the agent inside one VM: tells it who it is, has it start its runner, hears how that ended. Connects as long as
 * the VM lives; the guest repeats its last state at every connect, so an agent's restart loses nothing. Believes a guest
 * only what concerns its own VM.
 */
public final class GuestChannel implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(GuestChannel.class);
    private static final long RECONNECT_MILLIS = 20;
    private static final String RELAY_URL = "http://169.254.169.254";
    private static final int LONGEST_MESSAGE = 300;

    private final String slotId;
    private final Path socket;
    /** Null if the guest is to become a template. */
    private final @Nullable GuestIdentity identity;

    private final Clock clock;
    private final FrameCodec codec = new FrameCodec();
    private final SecureRandom random = new SecureRandom();
    private final CompletableFuture<Void> booted = new CompletableFuture<>();
    private final CompletableFuture<Void> prepared = new CompletableFuture<>();
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CompletableFuture<String> unconfigurable = new CompletableFuture<>();
    private final CompletableFuture<RunnerEnd> runnerEnd = new CompletableFuture<>();
    private final Retries retries;
    private final Thread reader;
    private int refusals;
    private @Nullable UnixStream stream;
    private @Nullable ObjectNode startRunner;
    private volatile boolean closed;

    public GuestChannel(String slotId, Path socket, GuestIdentity identity, Clock clock) {
        this(slotId, socket, identity, clock, Retries.STANDARD);
    }

    /** To a guest that is to become a template: it is told to prepare, and never who it is. */
    public static GuestChannel toPrototype(String slotId, Path socket, Clock clock) {
        return new GuestChannel(slotId, socket, null, clock, Retries.STANDARD);
    }

    GuestChannel(String slotId, Path socket, @Nullable GuestIdentity identity, Clock clock, Retries retries) {
        this.retries = retries;
        this.slotId = slotId;
        this.socket = socket;
        this.identity = identity;
        this.clock = clock;
        this.reader = new Thread(null, this::readUntilClosed, "guest-" + slotId, 256 * 1024);
        reader.setDaemon(true);
    }

    /**
     * How often a guest is told its configuration if it can't take it; the pause doubles each time.
     *
     * @param attempts the first included
     */
    record Retries(int attempts, Duration firstPause) {

        static final Retries STANDARD = new Retries(4, Duration.ofSeconds(1));
    }

    /**
     * How the guest's runner ended.
     *
     * @param signal null if it exited by itself
     * @param message what the guest's agent says of it, empty if nothing
     */
    public record RunnerEnd(
            @Nullable Integer exitCode, @Nullable Integer signal, String message) {}

    /** Begins to connect. */
    public void open() {
        reader.start();
    }

    /** Completes with the guest's first word. */
    public CompletableFuture<Void> booted() {
        return booted;
    }

    /** Completes once a guest that was to prepare has. */
    public CompletableFuture<Void> prepared() {
        return prepared;
    }

    /** Completes once the guest is configured. */
    public CompletableFuture<Void> ready() {
        return ready;
    }

    /** Completes with the guest's reason once it has refused its configuration too often, or can't prepare. */
    public CompletableFuture<String> unconfigurable() {
        return unconfigurable;
    }

    /** Completes once the guest says that its runner ended. */
    public CompletableFuture<RunnerEnd> runnerEnd() {
        return runnerEnd;
    }

    /** Has the guest start its runner; kept and repeated at every connect, as the guest ignores repetitions. */
    public synchronized void startRunner(
            Executor executor, String vmToken, String systemId, @Nullable String memoryAdvice) {
        DockerOptions docker = Objects.requireNonNull(identity, "a VM without identity runs no job")
                .docker();
        startRunner = codec.frame("start-runner")
                .put("executor", executor.name().toLowerCase(Locale.ROOT))
                .put("url", RELAY_URL)
                .put("token", vmToken)
                .put("name", slotId)
                .put("systemId", systemId)
                .put("dockerImage", docker.image())
                .put("helperImage", docker.helperImage())
                .put("privileged", docker.privileged())
                .put("memoryAdvice", memoryAdvice);
        if (ready.isDone()) {
            send(startRunner);
        }
    }

    /** Asks the guest to stop everything and end the VM. */
    public void shutdown() {
        send(codec.frame("shutdown"));
    }

    private void readUntilClosed() {
        while (!closed) {
            try (UnixStream connected = UnixStream.connect(socket)) {
                attach(connected);
                send(codec.frame("hello"));
                DataInputStream in = new DataInputStream(new BufferedInputStream(connected.in()));
                for (ObjectNode frame = codec.read(in); frame != null; frame = codec.read(in)) {
                    handle(frame);
                }
            } catch (IOException e) {
                // Expected while the VMM starts and once it has ended; the guard's files tell which.
                log.trace("slot {}: guest channel", slotId, e);
            }
            attach(null);
            pause();
        }
    }

    private void handle(ObjectNode frame) {
        if (!frame.path("type").asText().equals("state")) {
            return;
        }
        String state = frame.path("state").asText();
        log.debug("slot {}: guest is {}", slotId, state);
        booted.complete(null);
        switch (state) {
            case "booted", "prepared" -> {
                if (identity == null) {
                    prepare(state, message(frame));
                } else {
                    configure(identity, message(frame));
                }
            }
            case "ready" -> becomeReady();
            case "running" -> ready.complete(null);
            case "ended" -> {
                ready.complete(null);
                runnerEnd.complete(new RunnerEnd(number(frame, "exitCode"), number(frame, "signal"), message(frame)));
            }
            default -> log.debug("slot {}: unknown guest state {} ignored", slotId, state);
        }
    }

    private void becomeReady() {
        synchronized (this) {
            if (startRunner != null) {
                send(startRunner);
            }
        }
        ready.complete(null);
    }

    private void prepare(String state, String refusal) {
        if (state.equals("prepared")) {
            prepared.complete(null);
        } else if (refusal.isEmpty()) {
            send(codec.frame("prepare"));
        } else {
            unconfigurable.complete(refusal);
        }
    }

    /** At once the first time; a guest that could not take it gets pauses, as what it lacks may come. */
    private void configure(GuestIdentity identity, String refusal) {
        if (refusal.isEmpty()) {
            send(configuration(identity));
            return;
        }
        refusals++;
        log.warn(
                "slot {}: the guest could not be configured (attempt {} of {}): {}",
                slotId,
                refusals,
                retries.attempts(),
                refusal);
        if (refusals >= retries.attempts()) {
            unconfigurable.complete(refusal);
            return;
        }
        Duration pause = retries.firstPause().multipliedBy(1L << (refusals - 1));
        CompletableFuture.delayedExecutor(pause.toMillis(), TimeUnit.MILLISECONDS)
                .execute(() -> send(configuration(identity)));
    }

    private ObjectNode configuration(GuestIdentity identity) {
        byte[] entropy = new byte[64];
        random.nextBytes(entropy);
        Instant now = clock.instant();
        return codec.frame("configure")
                .put("unixNanos", now.getEpochSecond() * 1_000_000_000L + now.getNano())
                .put("entropy", Base64.getEncoder().encodeToString(entropy))
                .put("hostname", identity.hostname())
                .put("machineId", identity.machineId())
                .put("resolvConf", identity.resolvConf())
                .put("caPem", identity.caPem())
                .put("address", identity.address())
                .put("gateway", identity.gateway());
    }

    private static @Nullable Integer number(ObjectNode frame, String field) {
        return frame.path(field).isInt() ? Integer.valueOf(frame.path(field).asInt()) : null;
    }

    /** The guest may be hostile: one line, bounded. */
    private static String message(ObjectNode frame) {
        String text =
                frame.path("message").asText("").replaceAll("\\p{Cntrl}+", " ").strip();
        return text.length() <= LONGEST_MESSAGE ? text : text.substring(0, LONGEST_MESSAGE) + "…";
    }

    private synchronized void attach(@Nullable UnixStream connected) {
        stream = connected;
    }

    private synchronized void send(ObjectNode frame) {
        if (stream == null) {
            return;
        }
        try {
            stream.write(codec.encode(frame));
        } catch (IOException e) {
            log.debug(
                    "slot {}: could not send a frame of type {}; it is sent again after the next connect",
                    slotId,
                    frame.path("type").asText(),
                    e);
        }
    }

    private void pause() {
        try {
            Thread.sleep(RECONNECT_MILLIS);
        } catch (InterruptedException e) {
            closed = true;
        }
    }

    /** Stops connecting; the VM goes on. */
    @Override
    public void close() {
        closed = true;
        reader.interrupt();
    }
}
