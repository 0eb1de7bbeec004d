package dev.mayfly.agent;

import dev.mayfly.agent.claim.ClaimSlot;
import dev.mayfly.agent.claim.RunnerInfo;
import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.journal.SlotRecord;
import dev.mayfly.agent.vm.MicroVm;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** One boot of a slot's VM as the claim broker sees it. */
final class BootedVm implements ClaimSlot {

    private static final Set<Cause> OF_NO_USE = EnumSet.of(Cause.VMM_REFUSED, Cause.GUEST_UNUSABLE);

    private final HostSlot slot;
    private final SlotRecord atBoot;
    private final MicroVm vm;
    private final Path secretDirectory;
    private final InetAddress guestAddress;
    private final RunnerInfo runnerInfo;
    private final AtomicBoolean unusableTold = new AtomicBoolean();

    BootedVm(HostSlot slot, MicroVm vm, Path secretDirectory, InetAddress guestAddress, RunnerInfo runnerInfo) {
        this.slot = slot;
        this.atBoot = slot.record();
        this.vm = vm;
        this.secretDirectory = secretDirectory;
        this.guestAddress = guestAddress;
        this.runnerInfo = runnerInfo;
    }

    int bootNumber() {
        return atBoot.bootNumber();
    }

    boolean hasEnded() {
        return vm.whenEnds().toCompletableFuture().isDone();
    }

    /** Why this boot was of no use from the start; told once, so that the launch after the one that fails by it boots anew. */
    Optional<String> takeUnusable() {
        CompletableFuture<VmEnd> end = vm.whenEnds().toCompletableFuture();
        return end.isDone() && OF_NO_USE.contains(end.join().cause()) && unusableTold.compareAndSet(false, true)
                ? Optional.of(end.join().detail())
                : Optional.empty();
    }

    @Override
    public String slotId() {
        return atBoot.slotId();
    }

    @Override
    public long epoch() {
        return atBoot.epoch();
    }

    @Override
    public String instance() {
        return atBoot.instance();
    }

    @Override
    public String systemId() {
        return "s_" + atBoot.machineId().substring(0, 12);
    }

    @Override
    public Path secretDirectory() {
        return secretDirectory;
    }

    @Override
    public InetAddress guestAddress() {
        return guestAddress;
    }

    @Override
    public RunnerInfo runnerInfo() {
        return runnerInfo;
    }

    @Override
    public boolean vmAnswers() {
        return vm.answers();
    }

    @Override
    public CompletionStage<Void> whenVmAnswers() {
        return vm.whenAnswers();
    }

    @Override
    public boolean wasServed() {
        return slot.record().served();
    }

    @Override
    public void markServed() throws IOException {
        slot.markServed();
    }

    @Override
    public void startRunner(Executor executor, String vmToken, @Nullable String memoryAdvice) {
        vm.startRunner(executor, vmToken, systemId(), memoryAdvice);
    }

    @Override
    public CompletionStage<VmEnd> whenVmEnds() {
        return vm.whenEnds();
    }

    @Override
    public List<String> consoleTail(int lines) {
        return vm.consoleTail(lines);
    }
}
