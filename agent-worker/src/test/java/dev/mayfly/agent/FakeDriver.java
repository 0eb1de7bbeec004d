package dev.mayfly.agent;

import dev.mayfly.agent.claim.RunnerInfo;
import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.vm.HostUnfitException;
import dev.mayfly.agent.vm.LeftOver;
import dev.mayfly.agent.vm.MicroVm;
import dev.mayfly.agent.vm.MicroVmDriver;
import dev.mayfly.agent.vm.VmSpec;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** VMs whose fate the test decides; they outlive agents, as real ones do. Notes every call. */
final class FakeDriver implements MicroVmDriver {

    final List<String> calls = new ArrayList<>();
    final Map<String, Vm> vms = new HashMap<>();
    final List<LeftOver> leftOvers = new ArrayList<>();
    /** Runs before a VM starts. */
    Consumer<VmSpec> onStart = vm -> {};

    @Nullable
    IOException startFails;

    @Nullable
    String unfit;

    @Nullable
    IOException destroyFails;

    /** One boot. */
    static final class Vm implements MicroVm {

        final CompletableFuture<Void> answers = new CompletableFuture<>();
        final CompletableFuture<VmEnd> end = new CompletableFuture<>();

        void die(Cause cause, String why) {
            end.complete(new VmEnd(cause, why));
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
        public void startRunner(Executor executor, String vmToken, String systemId, @Nullable String memoryAdvice) {}

        @Override
        public List<String> consoleTail(int lines) {
            return List.of("the last line of the console");
        }
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public MicroVm start(VmSpec vm) throws IOException, HostUnfitException {
        calls.add("start %s %d".formatted(vm.slotId(), vm.bootNumber()));
        onStart.accept(vm);
        if (startFails != null) {
            throw startFails;
        }
        if (unfit != null) {
            throw new HostUnfitException(unfit);
        }
        Vm started = new Vm();
        vms.put(vm.slotId(), started);
        return started;
    }

    @Override
    public MicroVm adopt(VmSpec vm) {
        calls.add("adopt %s %d".formatted(vm.slotId(), vm.bootNumber()));
        return vms.computeIfAbsent(vm.slotId(), any -> {
            Vm gone = new Vm();
            gone.die(Cause.VMM_EXITED, "it never started");
            return gone;
        });
    }

    @Override
    public void kill(VmSpec vm) {
        calls.add("kill " + vm.slotId());
        Vm running = vms.get(vm.slotId());
        if (running != null) {
            running.die(Cause.VMM_EXITED, "killed");
        }
    }

    @Override
    public void destroy(VmSpec vm) throws IOException {
        calls.add("destroy " + vm.slotId());
        if (destroyFails != null) {
            throw destroyFails;
        }
        kill(vm);
        vms.remove(vm.slotId());
    }

    @Override
    public List<LeftOver> leftOvers(String installation, Collection<VmSpec> known) {
        calls.add("left-overs of %s but %s"
                .formatted(
                        installation,
                        known.stream().map(VmSpec::slotId).sorted().toList()));
        return leftOvers;
    }

    @Override
    public InetAddress guestAddress(int index) {
        try {
            return InetAddress.getByAddress(new byte[] {127, 64, (byte) (index >> 8), (byte) index});
        } catch (java.net.UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public Optional<String> image() {
        return Optional.of("fake-image");
    }

    @Override
    public RunnerInfo runnerInfo() {
        return new RunnerInfo("gitlab-runner", "15.4.2", "abc", "linux", "amd64", Map.of("shell", Map.of()));
    }
}
