package dev.mayfly.agent.claim;

import dev.mayfly.agent.claim.Calls.ClaimCall;
import dev.mayfly.agent.claim.Calls.DestroyCall;
import dev.mayfly.agent.claim.Calls.RunCall;
import dev.mayfly.agent.claim.ClaimStore.Progress;
import dev.mayfly.agent.claim.DeadVmSpeaker.Spoken;
import dev.mayfly.agent.claim.Repeater.Attempt;
import dev.mayfly.agent.relay.RelayedJob;
import dev.mayfly.agent.relay.RelayedVm;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One slot's claim, from the first request for a job to the job's end; every change of state is in this class. After
 * each event {@link #advance} does what is due and answers the calls that can be answered, so it doesn't matter in which
 * order calls, GitLab's answers and the VM's fate come in. All of it on the event thread, but for the volatile fields.
 * A restarted agent finds the claim, how far it came and the runner token in {@link ClaimStore}.
 */
final class SlotClaim implements RelayedVm, JobRequests.Listener, Binding.Watcher {

    private static final Logger LOG = LoggerFactory.getLogger(SlotClaim.class);
    private static final Set<Executor> SUPPORTED = EnumSet.of(Executor.SHELL);

    private final SlotContext slot;
    private final JobRequests requests;
    private final DeadVmSpeaker speaker;
    private final Calls<ClaimCall, Claimed> claimCalls = Calls.claim();
    private final Calls<RunCall, Ran> runCalls = Calls.run();
    private final Calls<DestroyCall, Destroyed> destroyCalls = Calls.destroy();
    private volatile @Nullable ClaimedJob job;
    private volatile @Nullable Binding binding;
    private Stage stage = Stage.OPEN;
    private Progress progress = Progress.NONE;
    private @Nullable KeepAlive keepAlive;
    private @Nullable VmEnd vmEnd;
    /** A claim call came: the slot wants a job. */
    private boolean wanted;
    /** The payload may have left in this life of the agent; an earlier one's is in the journal. */
    private boolean serving;
    /** A call to GitLab that changes the stage is under way: commit, or failing the job. */
    private boolean busy;
    /** A final update of a VM that ended was waited for long enough. */
    private boolean graceOver;

    /** Where the slot's claim stands. */
    private enum Stage {
        /** No claim. Asks GitLab for a job if one is wanted. */
        OPEN,
        /** A claim is stored; the control plane has not recorded it yet. */
        CLAIMED,
        /** Recorded. Waits for the run call of the claimed job's workflow. */
        HELD,
        /** GitLab took {@code running}; the relay offers the job to the VM. */
        COMMITTED,
        /** It is known how the job ended. */
        ENDED,
        /** Refused, or about to be destroyed: asks and serves nothing any more. */
        CLOSED
    }

    SlotClaim(SlotContext slot) {
        this.slot = slot;
        this.requests = new JobRequests(slot, this);
        this.speaker = new DeadVmSpeaker(slot);
    }

    // ---- what the host side does

    /** Takes up what an earlier life of the agent stored. */
    void resume() {
        try {
            progress = slot.store().progress();
            Optional<byte[]> stored = slot.store().claim();
            if (progress.refused()) {
                stage = Stage.CLOSED;
            } else if (stored.isPresent()) {
                job = ClaimedJob.parse(stored.get());
                boolean committed = progress.committed() || slot.vm().wasServed();
                stage = progress.ended() != null ? Stage.ENDED : committed ? Stage.COMMITTED : Stage.CLAIMED;
                LOG.info("slot {}: resumes {} as {}", slot.id(), job, stage);
            }
        } catch (IOException e) {
            // It may hold a claim, so it must not ask for another job. The control plane ends the job that is lost.
            LOG.error(
                    "slot {}: what is stored of its claim can't be read: it asks no more: {}", slot.id(), e.toString());
            stage = Stage.CLOSED;
        }
        if (stage == Stage.CLAIMED) {
            reportAndKeepAlive();
        }
        watch(slot.vm());
        advance();
    }

    void newBoot(ClaimSlot vm) {
        slot.newBoot(vm);
        vmEnd = null;
        graceOver = false;
        binding = null;
        watch(vm);
        advance();
    }

    private void watch(ClaimSlot vm) {
        var answers = vm.whenVmAnswers().thenRunAsync(this::advance, slot.events());
        var ends = vm.whenVmEnds().thenAcceptAsync(end -> vmEnded(vm, end), slot.events());
        LOG.debug("slot {}: watches {} {}", slot.id(), answers, ends);
    }

    private void vmEnded(ClaimSlot vm, VmEnd end) {
        if (vm == slot.vm()) {
            LOG.info("slot {}: {}: {}", slot.id(), end.cause(), end.detail());
            vmEnd = end;
            requests.stop();
            advance();
        }
    }

    void claim(ClaimCall call, CompletableFuture<Claimed> answer) {
        claimCalls.add(call, answer);
        wanted = true;
        advance();
    }

    void run(RunCall call, CompletableFuture<Ran> answer) {
        runCalls.add(call, answer);
        advance();
    }

    void settle(DestroyCall call, CompletableFuture<Destroyed> answer) {
        destroyCalls.add(call, answer);
        requests.stop();
        advance();
    }

    /** The slot is destroyed: nobody will answer what still waits. */
    void forget() {
        close();
        advance();
    }

    Optional<Long> claimedJob() {
        ClaimedJob claimed = job;
        return claimed == null ? Optional.empty() : Optional.of(claimed.id());
    }

    // ---- the story

    private void advance() {
        switch (stage) {
            case OPEN -> ask();
            case HELD -> commitIfAsked();
            case COMMITTED -> serveOrSpeak();
            case CLAIMED, ENDED, CLOSED -> {}
        }
        // Destroy first: its answer closes the slot, which answers the others.
        destroyCalls.answer(this::answerDestroy);
        claimCalls.answer(this::answerClaim);
        runCalls.answer(this::answerRun);
    }

    private void ask() {
        if (wanted && destroyCalls.isEmpty() && vmEnd == null && slot.vm().vmAnswers()) {
            requests.start();
        }
    }

    @Override
    public void claimed(byte[] payload) {
        try {
            ClaimedJob claimed = ClaimedJob.parse(payload);
            job = claimed;
            slot.store().keepClaim(payload);
            keep(Progress.NONE.claimedAt(slot.clock().millis()));
            stage = Stage.CLAIMED;
            LOG.info("slot {}: GitLab handed out {}", slot.id(), claimed);
            reportAndKeepAlive();
        } catch (IOException e) {
            LOG.error("slot {}: GitLab's answer could not be taken: {}", slot.id(), e.toString());
            giveUpUnstored();
        }
        advance();
    }

    @Override
    public void stopped() {
        advance();
    }

    @Override
    public void refused(String reason) {
        LOG.warn("slot {}: asks for no more jobs: {}", slot.id(), reason);
        close();
        advance();
    }

    private void reportAndKeepAlive() {
        ClaimedJob claimed = claimedNow();
        long since = progress.claimedAtMillis() > 0
                ? progress.claimedAtMillis()
                : slot.clock().millis();
        keepAlive = new KeepAlive(
                slot,
                claimed,
                Instant.ofEpochMilli(since),
                () -> stage != Stage.CLAIMED,
                () -> failInBackground(claimed));
        keepAlive.start();
        var unused = slot.repeater()
                .untilDone(
                        "slot %s: reporting %s".formatted(slot.id(), claimed),
                        () -> slot.controlPlane()
                                .reportClaim(
                                        slot.id(),
                                        slot.vm().epoch(),
                                        claimed.projectId(),
                                        claimed.id(),
                                        claimed.token())
                                .handle(this::judgeReport))
                .thenAccept(reply -> recorded(claimed, reply));
    }

    private Attempt<ClaimReply> judgeReport(@Nullable ClaimReply reply, @Nullable Throwable failure) {
        Throwable cause = Repeater.cause(failure);
        if (reply == null && stage == Stage.CLOSED) {
            return Attempt.done(new ClaimReply(Verdict.REFUSED, null, "the slot was destroyed meanwhile"));
        }
        if (cause instanceof ControlPlaneCalls.Refused) {
            return Attempt.done(new ClaimReply(Verdict.REFUSED, null, String.valueOf(cause.getMessage())));
        }
        return reply != null ? Attempt.done(reply) : Attempt.again(String.valueOf(cause), null);
    }

    private void recorded(ClaimedJob claimed, ClaimReply reply) {
        if (stage != Stage.CLAIMED) {
            return;
        }
        LOG.info("slot {}: claim of {}: {}: {}", slot.id(), claimed, reply.verdict(), reply.reason());
        switch (reply.verdict()) {
            case HELD -> stage = Stage.HELD;
            case VOID -> {
                failInBackground(claimed);
                erase(Progress.NONE);
                stage = Stage.OPEN;
            }
            case REFUSED -> {
                failInBackground(claimed);
                erase(Progress.NONE.withRefusal());
                close();
            }
        }
        advance();
    }

    private void commitIfAsked() {
        ClaimedJob claimed = claimedNow();
        Optional<Executor> executor =
                runCalls.find(call -> isFor(call.job(), claimed) ? Optional.of(call.executor()) : Optional.empty());
        if (busy || vmEnd != null || executor.isEmpty() || !slot.vm().vmAnswers()) {
            return;
        }
        busy = true;
        stopKeepAlive();
        if (!SUPPORTED.contains(executor.get())) {
            failUnsupported(claimed, executor.get());
            return;
        }
        var unused = speaker.commit(claimed).thenAccept(taken -> {
            busy = false;
            if (taken && stage == Stage.HELD) {
                keep(progress.committedFor(executor.get()));
                stage = Stage.COMMITTED;
            } else if (!taken) {
                end(End.ENDED_IN_GITLAB, "it had ended in GitLab before it was started");
            }
            advance();
        });
    }

    private void serveOrSpeak() {
        ClaimedJob claimed = claimedNow();
        if (vmEnd == null) {
            if (binding == null) {
                binding = new Binding(slot, claimed, slot.vm(), this);
            }
            Executor executor = progress.executor();
            if (executor != null && slot.vm().vmAnswers()) {
                slot.vm().startRunner(executor, "mayfly-" + slot.id());
            }
        } else if (!served()) {
            binding = null;
        } else if (!busy && !awaitsFinalUpdate()) {
            speakForDeadVm(claimed, vmEnd);
        }
    }

    @Override
    public boolean serve(Binding from) {
        if (stage == Stage.ENDED || progress.updated()) {
            return false;
        }
        if (stage != Stage.COMMITTED || binding != from || vmEnd != null) {
            throw new IllegalStateException("the job is not offered to this VM now");
        }
        serving = true;
        return true;
    }

    @Override
    public void notServed(Binding from) {
        serving = false;
        LOG.error("slot {}: the journal can't be written, so the job is not handed to the VM", slot.id());
        advance();
    }

    @Override
    public void answered(@Nullable String state, int status) {
        if (status < 500 && status != 429 && !progress.updated() && stage == Stage.COMMITTED) {
            keep(progress.withUpdate());
        }
        if (status == 403 || status == 404) {
            end(End.ENDED_IN_GITLAB, "GitLab answers " + status + " to the runner: the job had ended there");
        } else if (status == 200 && "success".equals(state)) {
            end(End.SUCCEEDED, "the job succeeded");
        } else if (status == 200 && "failed".equals(state)) {
            end(End.FAILED, "the job failed");
        }
        advance();
    }

    @Override
    public void updateGone() {
        advance();
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
                            advance();
                        },
                        slot.settings().finalUpdateGrace().toMillis(),
                        TimeUnit.MILLISECONDS);
        return true;
    }

    private void speakForDeadVm(ClaimedJob claimed, VmEnd cause) {
        busy = true;
        StringBuilder text =
                new StringBuilder("\nERROR: Job failed (system failure): the VM of this job ended before its"
                        + " runner reported the end: " + cause.detail() + "\n");
        ConsoleTail.of(slot.vm().consoleTail(ConsoleTail.LINES + 1), claimed.secrets())
                .forEach(line -> text.append("  ").append(line).append('\n'));
        var unused = speaker.fail(claimed, "runner_system_failure", text.toString())
                .thenAccept(spoken -> {
                    busy = false;
                    if (spoken == Spoken.FAILED) {
                        end(End.VM_LOST, "the VM ended before its runner reported the end: " + cause.detail());
                    } else {
                        end(End.ENDED_IN_GITLAB, "the VM ended, and the job had ended in GitLab before");
                    }
                    advance();
                });
    }

    private void failUnsupported(ClaimedJob claimed, Executor executor) {
        String reason = "this installation can't run jobs with the %s executor yet; add the tag for the shell executor"
                .formatted(executor.name().toLowerCase(java.util.Locale.ROOT));
        LOG.warn("slot {}: {} is failed: {}", slot.id(), claimed, reason);
        var unused = speaker.fail(claimed, "runner_configuration_error", "ERROR: " + reason + "\n")
                .thenAccept(spoken -> {
                    busy = false;
                    end(spoken == Spoken.FAILED ? End.FAILED : End.ENDED_IN_GITLAB, reason);
                    advance();
                });
    }

    // ---- answers

    private Optional<Claimed> answerClaim(ClaimCall call) {
        return switch (stage) {
            case OPEN -> vmEnd != null && !requests.busy() ? Optional.of(Claimed.VM_DIED) : Optional.empty();
            case CLAIMED -> Optional.empty();
            case HELD, COMMITTED, ENDED ->
                Optional.of(isFor(call.job(), claimedNow()) ? Claimed.CLAIMED : Claimed.REASSIGNED);
            case CLOSED -> Optional.of(Claimed.REASSIGNED);
        };
    }

    private Optional<Ran> answerRun(RunCall call) {
        ClaimedJob claimed = job;
        if (stage == Stage.CLOSED || claimed == null || !isFor(call.job(), claimed)) {
            return Optional.of(new Ran(End.REASSIGNED, "slot %s does not hold this job's claim".formatted(slot.id())));
        }
        if (progress.ended() != null) {
            return Optional.of(progress.ended());
        }
        boolean unserved = stage == Stage.HELD || (stage == Stage.COMMITTED && !served());
        return vmEnd != null && unserved && !busy
                ? Optional.of(new Ran(End.VM_DIED_UNSERVED, vmEnd.detail()))
                : Optional.empty();
    }

    private Optional<Destroyed> answerDestroy(DestroyCall call) {
        ClaimedJob claimed = job;
        if (stage == Stage.CLOSED) {
            return Optional.of(Destroyed.DESTROYED);
        }
        if (requests.busy() || stage == Stage.CLAIMED) {
            return Optional.empty();
        }
        if (claimed != null && (call.knownClaim() == null || call.knownClaim() != claimed.id())) {
            return Optional.of(Destroyed.REASSIGNED);
        }
        if (claimed != null && stage != Stage.ENDED) {
            failInBackground(claimed);
        }
        close();
        return Optional.of(Destroyed.DESTROYED);
    }

    // ---- small steps

    @Override
    public String slotId() {
        return slot.id();
    }

    @Override
    public Optional<RelayedJob> job() {
        return Optional.ofNullable(binding);
    }

    private ClaimedJob claimedNow() {
        ClaimedJob claimed = job;
        if (claimed == null) {
            throw new IllegalStateException("slot " + slot.id() + " has no claim in stage " + stage);
        }
        return claimed;
    }

    private boolean isFor(JobKey key, ClaimedJob claimed) {
        return key.jobId() == claimed.id() && key.instance().equals(slot.vm().instance());
    }

    private boolean served() {
        return serving || slot.vm().wasServed();
    }

    private void end(End how, String detail) {
        if (stage == Stage.HELD || stage == Stage.COMMITTED) {
            LOG.info("slot {}: {} ended: {}: {}", slot.id(), job, how, detail);
            keep(progress.withEnd(new Ran(how, detail)));
            stage = Stage.ENDED;
            stopKeepAlive();
        }
    }

    private void close() {
        stage = Stage.CLOSED;
        binding = null;
        requests.stop();
        stopKeepAlive();
    }

    private void stopKeepAlive() {
        if (keepAlive != null) {
            keepAlive.stop();
            keepAlive = null;
        }
    }

    /** Nothing waits for it: what ends the job must not hold up what comes next. */
    private void failInBackground(ClaimedJob claimed) {
        var unused = speaker.fail(claimed, "runner_system_failure")
                .thenAccept(spoken -> LOG.info("slot {}: {} given back to GitLab: {}", slot.id(), claimed, spoken));
    }

    private void giveUpUnstored() {
        ClaimedJob claimed = job;
        if (claimed != null) {
            failInBackground(claimed);
            close();
        }
    }

    /** What comes after is stored first: cut in between, a refused slot is not taken for one that may ask. */
    private void erase(Progress next) {
        keep(next);
        try {
            slot.store().eraseClaim();
        } catch (IOException e) {
            throw new UncheckedIOException("slot " + slot.id() + ": its claim can't be erased", e);
        }
        stopKeepAlive();
        job = null;
    }

    private void keep(Progress next) {
        progress = next;
        try {
            slot.store().keep(next);
        } catch (IOException e) {
            LOG.error("slot {}: how far its claim has come can't be stored: {}", slot.id(), e.toString());
        }
    }
}
