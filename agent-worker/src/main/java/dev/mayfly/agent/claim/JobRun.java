package dev.mayfly.agent.claim;

import dev.mayfly.agent.claim.ClaimState.Stage;
import dev.mayfly.agent.claim.DeadVmSpeaker.Spoken;
import dev.mayfly.agent.relay.RelayedJob;
import dev.mayfly.agent.relay.Update;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.job.Executor;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A claimed job from its commit to its end: committed, offered to the VM by the relay, and spoken for if the VM dies.
 * {@link SlotClaim} says when each is due; the claim's stages are what survives the agent. All of it on the event
 * thread, but for {@link #relayed}.
 */
final class JobRun implements Binding.Watcher {

    private static final Logger LOG = LoggerFactory.getLogger(JobRun.class);

    /** How Linux begins its line about a process that it killed because the whole machine's memory was used up. */
    private static final String OUT_OF_MEMORY = "Out of memory: Killed process";

    private static final int CONSOLE_LINES = 500;

    private final SlotContext slot;
    private final ClaimState state;
    private final DeadVmSpeaker speaker;
    private final Runnable advance;
    private volatile @Nullable Binding binding;
    private @Nullable VmEnd vmEnd;
    /** The payload may have left in this life of the agent; an earlier one's is in the journal. */
    private boolean serving;
    /** A call to GitLab that changes the stage is under way: commit, or failing the job. */
    private boolean busy;
    /** A final update of a VM that ended was waited for long enough. */
    private boolean graceOver;

    /** @param advance is called after every change */
    JobRun(SlotContext slot, ClaimState state, DeadVmSpeaker speaker, Runnable advance) {
        this.slot = slot;
        this.state = state;
        this.speaker = speaker;
        this.advance = advance;
    }

    void newBoot() {
        vmEnd = null;
        graceOver = false;
        binding = null;
    }

    void vmEnded(VmEnd end) {
        vmEnd = end;
    }

    boolean isVmDead() {
        return vmEnd != null;
    }

    /** What the VM sees of the job. */
    Optional<RelayedJob> relayed() {
        return Optional.ofNullable(binding);
    }

    /** How the run ended, or that this VM died before it was served anything; empty as long as it goes on. */
    Optional<Ran> end() {
        if (state.end() != null) {
            return Optional.of(state.end());
        }
        boolean unserved = state.is(Stage.HELD) || (state.is(Stage.COMMITTED) && !served());
        return vmEnd != null && unserved && !busy
                ? Optional.of(new Ran(End.VM_DIED_UNSERVED, vmEnd.detail()))
                : Optional.empty();
    }

    /** Nothing is offered any more. */
    void close() {
        binding = null;
    }

    /** Commits a held claim as soon as there is a VM to serve it to. */
    void commit(Executor executor) {
        if (busy || vmEnd != null || !slot.vm().vmAnswers()) {
            return;
        }
        busy = true;
        if (!slot.vm().runnerInfo().has(executor)) {
            failUnsupported(executor);
            return;
        }
        var unused = speaker.commit(state.claimedJob()).thenAccept(taken -> {
            busy = false;
            if (!taken) {
                end(End.ENDED_IN_GITLAB, "it had ended in GitLab before it was started");
            } else if (state.is(Stage.HELD)) {
                state.committed(executor);
            }
            advance.run();
        });
    }

    private void failUnsupported(Executor executor) {
        RunnerInfo runner = slot.vm().runnerInfo();
        String reason = "the runner here, %s %s, has no %s executor; %s"
                .formatted(
                        runner.name(),
                        runner.version(),
                        executor.name().toLowerCase(Locale.ROOT),
                        executor == Executor.DOCKER
                                ? "add the tag for the shell executor"
                                : "leave out the tag for the shell executor");
        LOG.warn("slot {}: {} is failed: {}", slot.id(), slot.keyOf(state.claimedJob()), reason);
        String words = "ERROR: " + reason + "\n";
        spoken(speaker.fail(state.claimedJob(), "runner_configuration_error", words), End.FAILED, reason);
    }

    /** Offers a committed job to the VM that lives, and speaks for the one that doesn't. */
    void serveOrSpeak() {
        if (vmEnd == null) {
            if (binding == null) {
                binding = new Binding(slot, state.claimedJob(), slot.vm(), this);
            }
            Executor executor = state.executor();
            if (executor != null && slot.vm().vmAnswers()) {
                slot.vm().startRunner(executor, "mayfly-" + slot.id(), state.memoryAdvice());
            }
        } else if (!served()) {
            binding = null;
        } else if (!busy && !awaitsFinalUpdate()) {
            busy = true;
            String why = vmEnd.detail() + memoryNote();
            String detail = "the VM ended before its runner reported the end: " + why;
            spoken(speaker.speakForDeadVm(state.claimedJob(), why), End.VM_LOST, detail);
        }
    }

    private void spoken(CompletableFuture<Spoken> speech, End ours, String detail) {
        var unused = speech.thenAccept(spoken -> {
            busy = false;
            if (spoken == Spoken.FAILED) {
                end(ours, detail);
            } else {
                end(End.ENDED_IN_GITLAB, "the job had ended in GitLab before this: " + detail);
            }
            advance.run();
        });
    }

    @Override
    public boolean serve(Binding from) {
        if (state.is(Stage.ENDED) || state.isUpdated()) {
            return false;
        }
        if (!state.is(Stage.COMMITTED) || binding != from || vmEnd != null) {
            throw new IllegalStateException("the job is not offered to this VM now");
        }
        serving = true;
        return true;
    }

    @Override
    public void notServed(Binding from) {
        serving = false;
        LOG.error("slot {}: the journal can't be written, so the job is not handed to the VM", slot.id());
        advance.run();
    }

    @Override
    public void answered(Update update) {
        if (update.withJobToken()) {
            judge(update, update.status());
        } else {
            LOG.warn(
                    "slot {}: an update of {} without its token: HTTP {}",
                    slot.id(),
                    slot.keyOf(state.claimedJob()),
                    update.status());
        }
        advance.run();
    }

    private void judge(Update update, int status) {
        if (!GitLabAnswer.mayPass(status)) {
            state.updated();
        }
        if (status == 403 || status == 404) {
            end(End.ENDED_IN_GITLAB, "GitLab answers " + status + " to the runner: the job had ended there");
        } else if (status == 200 && ("success".equals(update.state()) || "failed".equals(update.state()))) {
            if ("canceled".equals(update.jobStatus())) {
                end(End.ENDED_IN_GITLAB, "the job was cancelled in GitLab, and its runner has wound it up");
            } else if ("success".equals(update.state())) {
                end(End.SUCCEEDED, "the job succeeded");
            } else {
                end(End.FAILED, "the job failed" + memoryNote());
            }
        }
    }

    @Override
    public void updateGone() {
        advance.run();
    }

    /** Says so if memory ran out in the VM, which the kernel there tells on the console before all else. */
    private String memoryNote() {
        boolean ranOut = slot.vm().consoleTail(CONSOLE_LINES).stream().anyMatch(line -> line.contains(OUT_OF_MEMORY));
        String advice = state.memoryAdvice();
        return ranOut ? "; the VM ran out of memory" + (advice == null ? "" : ": " + advice) : "";
    }

    /** An update that GitLab has not answered yet may be the final one. */
    private boolean awaitsFinalUpdate() {
        Binding current = binding;
        if (graceOver || current == null || !current.updatesUnderWay()) {
            return false;
        }
        var unused = slot.events()
                .schedule(
                        () -> {
                            graceOver = vmEnd != null;
                            advance.run();
                        },
                        slot.settings().finalUpdateGrace().toMillis(),
                        TimeUnit.MILLISECONDS);
        return true;
    }

    private boolean served() {
        return serving || slot.vm().wasServed();
    }

    private void end(End how, String detail) {
        state.ended(new Ran(how, detail));
    }
}
