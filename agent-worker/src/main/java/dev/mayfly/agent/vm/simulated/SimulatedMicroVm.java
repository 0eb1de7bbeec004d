package dev.mayfly.agent.vm.simulated;

import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.vm.MicroVm;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A VM that is played: some state, and while its job runs, one thread. Dies with the agent. */
final class SimulatedMicroVm implements MicroVm {

    private static final Logger log = LoggerFactory.getLogger(SimulatedMicroVm.class);
    private static final int CONSOLE_LINES = 50;

    private final String slotId;
    private final PlainHttp relay;
    private final ExecutorService threads;
    private final CompletableFuture<Void> answers = new CompletableFuture<>();
    private final CompletableFuture<VmEnd> end = new CompletableFuture<>();
    private final Deque<String> console = new ArrayDeque<>();
    private @Nullable Future<?> runner;

    SimulatedMicroVm(String slotId, PlainHttp relay, ExecutorService threads) {
        this.slotId = slotId;
        this.relay = relay;
        this.threads = threads;
    }

    void boot() {
        answers.complete(null);
    }

    /** Ends it, as a VMM's death would. */
    synchronized void kill(String why) {
        end.complete(new VmEnd(Cause.VMM_EXITED, why));
        if (runner != null) {
            runner.cancel(true);
        }
    }

    @Override
    public boolean answers() {
        return answers.isDone() && !end.isDone();
    }

    @Override
    public CompletionStage<Void> whenAnswers() {
        return answers;
    }

    @Override
    public CompletionStage<VmEnd> whenEnds() {
        return end;
    }

    @Override
    public synchronized void startRunner(
            Executor executor, String vmToken, String systemId, @Nullable String memoryAdvice) {
        if (runner != null || end.isDone()) {
            return;
        }
        runner = threads.submit(() -> play(new SimulatedRunner(relay, vmToken, systemId, this::print)));
    }

    private void play(SimulatedRunner player) {
        try {
            player.run();
            end.complete(new VmEnd(Cause.RUNNER_ENDED, "the simulated runner ended"));
        } catch (InterruptedException killed) {
            Thread.currentThread().interrupt();
        } catch (IOException | RuntimeException e) {
            log.warn("slot {}: the simulated runner failed", slotId, e);
            end.complete(new VmEnd(Cause.RUNNER_ENDED, "the simulated runner failed: " + e.getMessage()));
        }
    }

    private void print(String line) {
        synchronized (console) {
            console.addLast(line);
            if (console.size() > CONSOLE_LINES) {
                console.removeFirst();
            }
        }
    }

    @Override
    public List<String> consoleTail(int lines) {
        synchronized (console) {
            return console.stream().skip(Math.max(0, console.size() - lines)).toList();
        }
    }
}
