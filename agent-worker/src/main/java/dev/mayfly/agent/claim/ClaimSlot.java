package dev.mayfly.agent.claim;

import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What the claim broker needs of a slot's VM; the host side implements it. One object stands for one boot: a VM started
 * anew in the same slot, and an agent started anew, give the broker a new object by {@link ClaimBroker#adopt}.
 */
public interface ClaimSlot {

    String slotId();

    long epoch();

    /** Configured name of the GitLab instance that the slot's runner belongs to. */
    String instance();

    /** {@code s_} and 12 hex characters of the VM's machine id; the same for every boot of the slot. */
    String systemId();

    /** A folder of this slot alone, on tmpfs, mode 0700, erased when the slot is destroyed. Survives agent restarts. */
    Path secretDirectory();

    /** The address this VM has at the relay. */
    InetAddress guestAddress();

    /** What the image's manifest says of the runner in it. */
    RunnerInfo runnerInfo();

    /** Whether the guest is configured and can start a runner. */
    boolean vmAnswers();

    /** Ends when {@link #vmAnswers()} becomes true, and never if the VM dies before. */
    CompletionStage<Void> whenVmAnswers();

    /** Whether any of the payload may have reached the guest, in this boot or an earlier one. */
    boolean wasServed();

    /**
     * Journals that the payload is about to reach the guest; returns once that is on disk. Called before the payload's
     * first byte leaves, idempotent.
     */
    void markServed() throws IOException;

    /**
     * Has the guest start its runner; a repetition is ignored.
     *
     * @param vmToken what the runner calls its token; no GitLab token
     * @param memoryAdvice how the job gets more memory, as the end of a sentence for its author; null if unknown
     */
    void startRunner(Executor executor, String vmToken, @Nullable String memoryAdvice);

    /** Ends once this boot is over: VMM exit, guest panic or the runner's end. */
    CompletionStage<VmEnd> whenVmEnds();

    /** The last lines of the VM's console, unmasked. */
    List<String> consoleTail(int lines);
}
