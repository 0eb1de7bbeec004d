package dev.mayfly.agent.claim;

import dev.mayfly.agent.claim.Calls.ClaimCall;
import dev.mayfly.agent.claim.Calls.DestroyCall;
import dev.mayfly.agent.claim.Calls.RunCall;
import dev.mayfly.agent.claim.ClaimState.Stage;
import dev.mayfly.agent.relay.RelayedJob;
import dev.mayfly.agent.relay.RelayedVm;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One slot's claim, from the first request for a job to the job's end; every change of its {@link ClaimState} is made
 * here. After each event {@link #advance} does what is due and answers the calls that can be answered, so it doesn't
 * matter in which order calls, GitLab's answers and the VM's fate come in. All of it on the event thread, but for
 * {@link #job} and {@link #claimedJob}. A restarted agent finds claim and runner token in {@link ClaimStore}.
 */
final class SlotClaim implements RelayedVm, JobRequests.Listener {

    private static final Logger LOG = LoggerFactory.getLogger(SlotClaim.class);

    private final SlotContext slot;
    private final ClaimState state;
    private final JobRequests requests;
    private final GivenBackJobs givenBack;
    private final JobRun run;
    private final Calls<ClaimCall, Claimed> claimCalls = Calls.claim();
    private final Calls<RunCall, Ran> runCalls = Calls.run();
    private final Calls<DestroyCall, Destroyed> destroyCalls = Calls.destroy();
    private @Nullable ClaimReport report;
    /** A claim call came: the slot wants a job. */
    private boolean wanted;

    SlotClaim(SlotContext slot) {
        this.slot = slot;
        this.state = new ClaimState(slot);
        this.requests = new JobRequests(slot, this);
        DeadVmSpeaker speaker = new DeadVmSpeaker(slot);
        this.givenBack = new GivenBackJobs(slot, speaker);
        this.run = new JobRun(slot, state, speaker, this::advance);
    }

    // ---- what the host side does

    /** Takes up what an earlier life of the agent stored. */
    void resume() {
        state.resume();
        givenBack.resume();
        if (state.is(Stage.CLAIMED)) {
            reportClaim();
        }
        watch(slot.vm());
        advance();
    }

    void newBoot(ClaimSlot vm) {
        slot.newBoot(vm);
        run.newBoot();
        watch(vm);
        advance();
    }

    private void watch(ClaimSlot vm) {
        vm.whenVmAnswers().thenRunAsync(this::advance, slot.events());
        vm.whenVmEnds().thenAcceptAsync(end -> vmEnded(vm, end), slot.events());
    }

    private void vmEnded(ClaimSlot vm, VmEnd end) {
        if (vm == slot.vm()) {
            LOG.info("slot {}: {}: {}", slot.id(), end.cause(), end.detail());
            run.vmEnded(end);
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
        return state.job().map(ClaimedJob::id);
    }

    // ---- the story

    private void advance() {
        switch (state.stage()) {
            case OPEN -> ask();
            case HELD -> commitIfAsked();
            case COMMITTED -> {
                stopReport();
                run.serveOrSpeak();
            }
            case ENDED -> stopReport();
            case CLAIMED, CLOSED -> {}
        }
        // Destroy first: its answer closes the slot, which answers the others.
        destroyCalls.answer(this::answerDestroy);
        claimCalls.answer(this::answerClaim);
        runCalls.answer(this::answerRun);
    }

    private void ask() {
        if (wanted && destroyCalls.isEmpty() && !run.isVmDead() && slot.vm().vmAnswers()) {
            requests.start();
        }
    }

    @Override
    public void claimed(ClaimedJob job) {
        LOG.info("slot {}: GitLab handed out {}", slot.id(), slot.keyOf(job));
        try {
            state.claimed(job);
            reportClaim();
        } catch (IOException e) {
            LOG.error(
                    "slot {}: {} is given back, its claim can't be stored: {}",
                    slot.id(),
                    slot.keyOf(job),
                    e.toString());
            givenBack.add(job, "its host could not store that it has it");
            close();
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

    /** Whoever waits for a claim is told; the slot stays as it is, and asks again for the next who wants one. */
    @Override
    public void failed(Exception why) {
        LOG.warn("slot {}: asks for no job at present: {}", slot.id(), why.getMessage());
        wanted = false;
        claimCalls.fail(why);
        advance();
    }

    private void reportClaim() {
        ClaimedJob job = state.claimedJob();
        report = new ClaimReport(
                slot, job, state.claimedAt(), () -> givenBack.add(job, "the control plane did not answer in time"));
        report.start(reply -> recorded(job, reply));
    }

    private void recorded(ClaimedJob job, ClaimReply reply) {
        LOG.info("slot {}: claim of {}: {}: {}", slot.id(), slot.keyOf(job), reply.verdict(), reply.reason());
        switch (reply.verdict()) {
            case HELD -> state.held(reply.memoryAdvice());
            case VOID -> {
                givenBack.add(job, reply.reason());
                stopReport();
                state.erased();
            }
            case REFUSED -> {
                givenBack.add(job, reply.reason());
                state.refused();
                close();
            }
        }
        advance();
    }

    private void commitIfAsked() {
        runCalls.find(call -> state.isClaimOf(call.job()) ? Optional.of(call.executor()) : Optional.empty())
                .ifPresent(run::commit);
    }

    // ---- answers

    private Optional<Claimed> answerClaim(ClaimCall call) {
        return switch (state.stage()) {
            case OPEN -> run.isVmDead() && !requests.busy() ? Optional.of(Claimed.VM_DIED) : Optional.empty();
            case CLAIMED -> Optional.empty();
            case HELD, COMMITTED, ENDED ->
                Optional.of(state.isClaimOf(call.job()) ? Claimed.CLAIMED : Claimed.REASSIGNED);
            case CLOSED -> Optional.of(Claimed.REASSIGNED);
        };
    }

    private Optional<Ran> answerRun(RunCall call) {
        if (state.is(Stage.CLOSED) || !state.isClaimOf(call.job())) {
            return Optional.of(new Ran(End.REASSIGNED, "slot %s does not hold this job's claim".formatted(slot.id())));
        }
        return run.end();
    }

    private Optional<Destroyed> answerDestroy(DestroyCall call) {
        if (state.is(Stage.CLOSED)) {
            return Optional.of(Destroyed.DESTROYED);
        }
        if (requests.busy() || state.is(Stage.CLAIMED)) {
            return Optional.empty();
        }
        Optional<ClaimedJob> job = state.job();
        if (job.isPresent()
                && (call.knownClaim() == null || call.knownClaim() != job.get().id())) {
            return Optional.of(Destroyed.REASSIGNED);
        }
        if (!state.is(Stage.ENDED)) {
            job.ifPresent(claimed -> givenBack.add(claimed, "its VM is being removed"));
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
        return run.relayed();
    }

    private void close() {
        state.close();
        slot.store().close();
        run.close();
        requests.stop();
        stopReport();
    }

    private void stopReport() {
        if (report != null) {
            report.stop();
            report = null;
        }
    }
}
