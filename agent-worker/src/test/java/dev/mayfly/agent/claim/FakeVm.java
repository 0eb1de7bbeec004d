package dev.mayfly.agent.claim;

import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** One boot of a slot's VM, whose fate the test decides. Boots of one slot share folder and journal. */
final class FakeVm implements ClaimSlot {

    private final String slotId;
    private final Path folder;
    private final AtomicBoolean served;
    private final InetAddress address;
    private final CompletableFuture<Void> answers = new CompletableFuture<>();
    final CompletableFuture<VmEnd> end = new CompletableFuture<>();
    final List<Executor> started = new CopyOnWriteArrayList<>();
    final List<String> vmTokens = new CopyOnWriteArrayList<>();
    volatile @Nullable String advice;
    volatile boolean journalBroken;
    volatile List<String> console = List.of();

    FakeVm(String slotId, Path folder, AtomicBoolean served, String address) throws IOException {
        this.slotId = slotId;
        this.folder = folder;
        this.served = served;
        this.address = InetAddress.getByName(address);
    }

    FakeVm answering() {
        answers.complete(null);
        return this;
    }

    FakeVm nextBoot() throws IOException {
        return new FakeVm(slotId, folder, served, address.getHostAddress());
    }

    void die() {
        end.complete(new VmEnd(VmEnd.Cause.VMM_EXITED, "signal 9"));
    }

    @Override
    public String slotId() {
        return slotId;
    }

    @Override
    public long epoch() {
        return 1;
    }

    @Override
    public String instance() {
        return "gl";
    }

    @Override
    public String systemId() {
        return "s_0123456789ab";
    }

    @Override
    public Path secretDirectory() {
        return folder;
    }

    @Override
    public InetAddress guestAddress() {
        return address;
    }

    @Override
    public RunnerInfo runnerInfo() {
        return new RunnerInfo(
                "gitlab-runner",
                "15.4.2",
                "abc",
                "linux",
                "amd64",
                Map.of("shell", Map.of("variables", true, "image", false)));
    }

    @Override
    public boolean vmAnswers() {
        return answers.isDone();
    }

    @Override
    public CompletionStage<Void> whenVmAnswers() {
        return answers;
    }

    @Override
    public boolean wasServed() {
        return served.get();
    }

    @Override
    public void markServed() throws IOException {
        if (journalBroken) {
            throw new IOException("disk full");
        }
        served.set(true);
    }

    @Override
    public void startRunner(Executor executor, String vmToken, @Nullable String memoryAdvice) {
        vmTokens.add(vmToken);
        advice = memoryAdvice;
        started.add(executor);
    }

    @Override
    public CompletionStage<VmEnd> whenVmEnds() {
        return end;
    }

    @Override
    public List<String> consoleTail(int lines) {
        return console.subList(Math.max(0, console.size() - lines), console.size());
    }
}
