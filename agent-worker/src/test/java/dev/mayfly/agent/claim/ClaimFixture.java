package dev.mayfly.agent.claim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.job.JobKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A broker with short times between a GitLab, a control plane and a VM of the test. */
final class ClaimFixture implements AutoCloseable {

    static final Duration BLINK = Duration.ofMillis(20);
    static final Duration KEEP_ALIVE_AT_MOST = Duration.ofMillis(400);

    final FakeGitLab gitlab = new FakeGitLab();
    final FakeControlPlane controlPlane = new FakeControlPlane(gitlab.url());
    final FakeVm vm;
    ClaimBroker broker;

    ClaimFixture(Path folder) throws IOException {
        vm = new FakeVm("k3x9p-1", folder, new AtomicBoolean(), "127.0.0.7").answering();
        broker = newBroker();
        broker.adopt(vm);
        broker.start();
    }

    ClaimBroker newBroker() {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        ClaimSettings settings = new ClaimSettings(
                any,
                BLINK,
                BLINK,
                KEEP_ALIVE_AT_MOST,
                BLINK,
                Duration.ofSeconds(2),
                Duration.ofSeconds(5),
                Duration.ofSeconds(2));
        return new ClaimBroker(settings, controlPlane, Clock.systemUTC());
    }

    /** Kills the agent: what is not in the slot's folder or the journal is lost. */
    void restart(FakeVm found) throws IOException {
        broker.close();
        broker = newBroker();
        broker.adopt(found);
        broker.start();
    }

    Guest guest() throws IOException {
        return new Guest(broker.relayAddress(), "127.0.0.7");
    }

    static JobKey job(long id) {
        return new JobKey("gl", 42, id);
    }

    static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(10, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("no answer within 10 s", e);
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    /** Waits until the condition holds. */
    static void until(String what, BooleanSupplier condition) {
        Instant deadline = Instant.now().plusSeconds(10);
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).as("waiting until " + what).isBefore(deadline);
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        broker.close();
        gitlab.close();
    }
}
