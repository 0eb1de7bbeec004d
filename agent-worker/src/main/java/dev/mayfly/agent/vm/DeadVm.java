package dev.mayfly.agent.vm;

import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.workflows.job.Executor;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A boot that came to nothing.
 *
 * @param why one sentence for people
 */
public record DeadVm(String why) implements MicroVm {

    @Override
    public boolean answers() {
        return false;
    }

    @Override
    public CompletionStage<Void> whenAnswers() {
        return new CompletableFuture<>();
    }

    @Override
    public CompletionStage<VmEnd> whenEnds() {
        return CompletableFuture.completedFuture(new VmEnd(Cause.VMM_EXITED, why));
    }

    @Override
    public void startRunner(Executor executor, String vmToken, String systemId, @Nullable String memoryAdvice) {
        // Nobody is there to start it; its end has been told already.
    }

    @Override
    public List<String> consoleTail(int lines) {
        return List.of();
    }
}
