package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.guest.GuestChannel;
import dev.mayfly.agent.guest.GuestChannel.RunnerEnd;
import dev.mayfly.agent.vm.MicroVm;
import dev.mayfly.agent.vm.qemu.GuardFiles.Exit;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One boot of a VM under QEMU, whichever agent started it. Only looks and speaks: the VM goes on without this object. */
final class QemuMicroVm implements MicroVm, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(QemuMicroVm.class);

    /** How its messages begin, whatever the program file is called. */
    private static final String VMM_SAYS = "qemu";

    private static final int LAST_WORDS = 10;

    private final String slotId;
    private final GuardFiles files;
    private final GuestChannel guest;
    private final QmpEvents qmp;
    private final CompletableFuture<VmEnd> end;

    QemuMicroVm(String slotId, GuardFiles files, GuestChannel guest, QmpEvents qmp, CompletableFuture<Exit> exit) {
        this.slotId = slotId;
        this.files = files;
        this.guest = guest;
        this.qmp = qmp;
        CompletableFuture<VmEnd> vmmExit = exit.thenApply(this::vmmExited);
        CompletableFuture<VmEnd> panic =
                qmp.panicked().thenApply(any -> new VmEnd(Cause.GUEST_PANIC, "the guest's kernel panicked"));
        CompletableFuture<VmEnd> runnerEnd = guest.runnerEnd().thenApply(QemuMicroVm::runnerEnded);
        CompletableFuture<VmEnd> unconfigurable = guest.unconfigurable().thenApply(QemuMicroVm::unconfigurable);
        this.end = CompletableFuture.anyOf(vmmExit, panic, runnerEnd, unconfigurable)
                .thenApply(VmEnd.class::cast);
    }

    private VmEnd vmmExited(Exit exit) {
        String why = qmp.guestsDoing().isEmpty() ? exit.message() : qmp.guestsDoing();
        String how = "the VM ended (%s): %s".formatted(exit.reason(), why);
        List<String> said = consoleTail(LAST_WORDS);
        boolean refused = exit.exitCode() != null && exit.exitCode() != 0 && isAllOfTheVmm(said);
        return refused
                ? new VmEnd(Cause.VMM_REFUSED, how + ": " + String.join(" | ", said))
                : new VmEnd(Cause.VMM_EXITED, how);
    }

    /** Nothing of a guest, whose first words no job can prevent; so nothing secret either. */
    private static boolean isAllOfTheVmm(List<String> console) {
        return !console.isEmpty()
                && console.size() < LAST_WORDS
                && console.stream().allMatch(line -> line.startsWith(VMM_SAYS));
    }

    private static VmEnd runnerEnded(RunnerEnd runner) {
        String how = runner.signal() != null ? "by signal " + runner.signal() : "with exit code " + runner.exitCode();
        String why = runner.message().isEmpty() ? "" : ": " + runner.message();
        return new VmEnd(Cause.RUNNER_ENDED, "the runner in the VM ended " + how + why);
    }

    private static VmEnd unconfigurable(String reason) {
        return new VmEnd(Cause.GUEST_UNUSABLE, "the guest could not be configured: " + reason);
    }

    /** Returns once the guest has said anything; throws if it ends before, or does not in that time. */
    void awaitFirstWord(Duration limit) throws IOException {
        try {
            CompletableFuture.anyOf(guest.booted(), end).get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IOException("its guest said nothing for %d s".formatted(limit.toSeconds()), e);
        } catch (ExecutionException e) {
            throw new IOException("its end could not be watched", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a VM is restored");
        }
        if (end.isDone()) {
            throw new IOException(end.join().detail());
        }
    }

    @Override
    public boolean answers() {
        return guest.ready().isDone() && !end.isDone();
    }

    @Override
    public CompletionStage<Void> whenAnswers() {
        return guest.ready();
    }

    @Override
    public CompletionStage<VmEnd> whenEnds() {
        return end;
    }

    @Override
    public void startRunner(Executor executor, String vmToken, String systemId, @Nullable String memoryAdvice) {
        guest.startRunner(executor, vmToken, systemId, memoryAdvice);
    }

    @Override
    public List<String> consoleTail(int lines) {
        try {
            return ConsoleLog.tail(files.console(), lines);
        } catch (IOException e) {
            log.warn("slot {}: its console can't be read", slotId, e);
            return List.of();
        }
    }

    /** Stops looking; the VM goes on. */
    @Override
    public void close() {
        guest.close();
        qmp.close();
    }
}
