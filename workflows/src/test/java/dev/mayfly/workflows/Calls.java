package dev.mayfly.workflows;

import io.temporal.failure.ApplicationFailure;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The log of all calls to the fakes, in order, with what tests put in their way: gates and failures, by name. */
final class Calls {

    private final List<String> log = new ArrayList<>();
    private final Map<String, CountDownLatch> gates = new HashMap<>();
    private final Map<String, Deque<ApplicationFailure>> failures = new HashMap<>();
    private final Map<String, ApplicationFailure> standing = new HashMap<>();

    /** A call arrives: logged, held at its gate, failed if so scripted. */
    void step(String name, @Nullable Object of) {
        note(name, of);
        CountDownLatch gate;
        synchronized (this) {
            gate = gates.get(name);
        }
        pass(name, gate);
        ApplicationFailure failure = nextFailure(name);
        if (failure != null) {
            throw failure;
        }
        note("did " + name, of);
    }

    synchronized void note(String name, @Nullable Object of) {
        log.add(of == null ? name : name + " " + of);
    }

    /** Calls of this name wait until {@link #open}. */
    synchronized void close(String name) {
        gates.put(name, new CountDownLatch(1));
    }

    synchronized void open(String name) {
        CountDownLatch gate = gates.remove(name);
        if (gate != null) {
            gate.countDown();
        }
    }

    synchronized void openAll() {
        List.copyOf(gates.keySet()).forEach(this::open);
        standing.clear();
    }

    /** The next {@code times} calls of this name fail. */
    synchronized void fail(String name, ApplicationFailure failure, int times) {
        for (int i = 0; i < times; i++) {
            failures.computeIfAbsent(name, key -> new ArrayDeque<>()).add(failure);
        }
    }

    /** Every call of this name fails until {@link #mend}. */
    synchronized void failAlways(String name, ApplicationFailure failure) {
        standing.put(name, failure);
    }

    synchronized void mend(String name) {
        standing.remove(name);
    }

    synchronized List<String> log() {
        return List.copyOf(log);
    }

    synchronized int count(String entry) {
        return (int) log.stream().filter(entry::equals).count();
    }

    private synchronized @Nullable ApplicationFailure nextFailure(String name) {
        Deque<ApplicationFailure> scripted = failures.get(name);
        if (scripted != null && !scripted.isEmpty()) {
            return scripted.poll();
        }
        return standing.get(name);
    }

    private static void pass(String name, @Nullable CountDownLatch gate) {
        try {
            if (gate != null && !gate.await(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("nobody opened the gate of " + name);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted at the gate of " + name, e);
        }
    }
}
