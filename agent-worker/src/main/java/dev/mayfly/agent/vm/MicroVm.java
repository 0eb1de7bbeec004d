package dev.mayfly.agent.vm;

import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.workflows.job.Executor;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** One boot of one VM. Its methods return at once. */
public interface MicroVm {

    /** Whether the guest is configured and can start a runner. */
    boolean answers();

    /** Ends when {@link #answers()} becomes true, and never if the VM dies before. */
    CompletionStage<Void> whenAnswers();

    /** Ends once this boot is over: VMM exit, guest panic or the runner's end. */
    CompletionStage<VmEnd> whenEnds();

    /**
     * Has the guest start its runner, once per boot.
     *
     * @param memoryAdvice what the runner adds to its word that memory ran out; null for nothing
     */
    void startRunner(Executor executor, String vmToken, String systemId, @Nullable String memoryAdvice);

    /** The last lines of the console. */
    List<String> consoleTail(int lines);
}
