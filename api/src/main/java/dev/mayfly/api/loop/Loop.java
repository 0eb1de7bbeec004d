package dev.mayfly.api.loop;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one step again and again on threads of its own: when it is woken, when its tick is over, and at once while the
 * step says that there is more. A step that fails is logged and run again after a pause that doubles up to a limit, so
 * an absent database or GitLab costs nothing but time. Holds no state that a crash could lose.
 */
public final class Loop implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(15);
    private static final Duration STOP_WITHIN = Duration.ofSeconds(10);

    private final String name;
    private final Duration tick;
    private final Step step;
    private final Semaphore wakes = new Semaphore(0);
    private final List<Thread> threads;
    private volatile boolean closing;

    /** What a loop does each time. */
    @FunctionalInterface
    public interface Step {
        /** Does one piece of work; true if there is more to do at once. */
        boolean run() throws Exception;
    }

    /**
     * A loop that has not been started.
     *
     * @param name of its threads, and what the log calls it
     * @param parallel how many steps may be under way at once; more than one only for steps that don't mind
     * @param tick how long it waits at most, even if nobody wakes it
     */
    public Loop(String name, int parallel, Duration tick, Step step) {
        this.name = name;
        this.tick = tick;
        this.step = step;
        this.threads = IntStream.range(0, parallel).mapToObj(this::thread).toList();
    }

    /** A loop of one thread. */
    public Loop(String name, Duration tick, Step step) {
        this(name, 1, tick, step);
    }

    /** Starts it; the first step runs at once. */
    public Loop start() {
        threads.forEach(Thread::start);
        return this;
    }

    /** There may be something to do. */
    public void wake() {
        if (wakes.availablePermits() < threads.size()) {
            wakes.release();
        }
    }

    /** Ends the loop after the step it is in. */
    @Override
    public void close() {
        closing = true;
        threads.forEach(Thread::interrupt);
        try {
            for (Thread thread : threads) {
                thread.join(STOP_WITHIN.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Thread thread(int number) {
        Thread thread = new Thread(this::run, name + "-" + number);
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler((t, e) -> LOG.error("{}: its thread died", name, e));
        return thread;
    }

    private void run() {
        int failures = 0;
        while (!closing) {
            try {
                boolean more = step.run();
                failures = 0;
                if (more) {
                    wake();
                } else {
                    pause(tick);
                }
            } catch (InterruptedException e) {
                if (!closing) {
                    LOG.warn("{}: interrupted though nobody stops it; going on", name);
                }
            } catch (Exception e) {
                failures = retryAfter(e, failures);
            }
        }
    }

    private int retryAfter(Exception failure, int failures) {
        if (closing) {
            return failures;
        }
        Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(failures, 6));
        pause = pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
        if (failures == 0) {
            LOG.warn("{}: failed, trying again in {}", name, pause, failure);
        } else {
            LOG.warn("{}: failed {} times, trying again in {}: {}", name, failures + 1, pause, failure.toString());
        }
        try {
            TimeUnit.NANOSECONDS.sleep(pause.toNanos());
        } catch (InterruptedException e) {
            // closing: the loop's condition sees it
        }
        return failures + 1;
    }

    /**
     * Until woken or the time is over: either way the step looks again. A tenth more or less, so that several control
     * planes do not ask GitLab for the same at the same time for ever.
     */
    private void pause(Duration about) throws InterruptedException {
        double jitter = ThreadLocalRandom.current().nextDouble(0.9, 1.1);
        wakes.tryAcquire((long) (about.toNanos() * jitter), TimeUnit.NANOSECONDS);
    }
}
