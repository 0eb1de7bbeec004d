package dev.mayfly.agent.claim;

import static dev.mayfly.agent.claim.ClaimFixture.get;
import static dev.mayfly.agent.claim.ClaimFixture.job;
import static dev.mayfly.agent.claim.ClaimFixture.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a killed agent finds again in the slot's folder. */
class RestartedAgentTest extends ClaimTest {

    @Test
    void aRestartedAgentReportsWhatIsStoredAndAsksForNothing() throws IOException {
        controlPlane.verdict = job -> FakeControlPlane.away();
        gitlab.offer(7);
        var lost = fixture.broker.claim(vm, job(7));
        until("it was reported", () -> !controlPlane.reports.isEmpty());
        assertThat(lost.toCompletableFuture()).isNotDone();
        fixture.restart(vm);
        controlPlane.verdict = job -> FakeControlPlane.held();
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        assertThat(gitlab.count("POST request")).isEqualTo(1);
        assertThat(controlPlane.nonces).hasSize(1);
    }

    @Test
    void aRestartBetweenNonceAndTokenUsesTheSameNonce() throws IOException {
        String nonce = new ClaimStore(folder).nonce();
        fixture.restart(vm);
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        assertThat(controlPlane.nonces).containsExactly(nonce);
    }

    @Test
    void aRefusedSlotFailsTheJobAndNeverAsksAgainNotEvenAfterARestart() throws IOException {
        controlPlane.verdict =
                job -> CompletableFuture.failedStage(new ControlPlaneCalls.Refused("the slot is released"));
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        until("the job was failed", () -> gitlab.state(7).equals("failed"));
        assertThat(fixture.broker.claimedJob(vm.slotId())).isEmpty();
        fixture.restart(vm);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(gitlab.count("POST request")).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"VOID", "REFUSED"})
    void aJobThatGitLabCouldNotBeToldOfIsGivenBackByTheNextAgent(Verdict verdict) throws IOException {
        controlPlane.verdict = job -> FakeControlPlane.answer(verdict);
        gitlab.fault = call -> call.equals("PUT 7 failed") ? 503 : null;
        gitlab.offer(7);
        var unused = fixture.broker.claim(vm, job(7));
        until("GitLab was told in vain", () -> gitlab.count("PUT 7 failed") >= 1);
        fixture.broker.close();
        gitlab.fault = call -> null;
        fixture.restart(vm);
        until("the job was failed", () -> gitlab.state(7).equals("failed"));
        until("it is forgotten", () -> Files.notExists(folder.resolve("given-back-7.json")));
    }

    @Test
    void aSlotWhoseStoredClaimCannotBeReadNeverAsks() throws IOException {
        fixture.broker.forget(vm.slotId());
        new ClaimStore(folder).keepClaim("{cut".getBytes(StandardCharsets.UTF_8));
        gitlab.offer(7);
        fixture.restart(vm);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(gitlab.count("POST request")).isZero();
        assertThat(get(fixture.broker.settleBeforeDestroy(vm, null))).isEqualTo(Destroyed.DESTROYED);
    }

    @Test
    void aRefusalCutShortByARestartStaysARefusal() throws IOException {
        ClaimStore store = new ClaimStore(folder);
        store.keepClaim(FakeGitLab.payload(7));
        store.keep(ClaimStore.Progress.NONE.withRefusal());
        gitlab.offer(8);
        fixture.restart(vm);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(gitlab.calls).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"runner-token.json", "instance.json"})
    void whatCanBeFetchedAgainMayBeTorn(String file) throws IOException {
        String nonce = new ClaimStore(folder).nonce();
        Files.writeString(folder.resolve(file), "{\"name\":\"gl\",\"tok");
        fixture.restart(vm);
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        assertThat(controlPlane.nonces).containsExactly(nonce);
    }

    @Test
    void whatWasCutWhileItWasWrittenDoesNotCount() throws IOException {
        Files.writeString(folder.resolve("claim.json.new"), "{\"id\":6,\"tok");
        Files.writeString(folder.resolve("progress.json.new"), "{");
        fixture.restart(vm);
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        assertThat(Files.readAllBytes(folder.resolve("claim.json"))).isEqualTo(FakeGitLab.payload(7));
        try (var files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).noneMatch(name -> name.endsWith(".new"));
        }
    }

    @Test
    void anAgentKilledJustAfterTheClaimWasStoredReportsIt() throws IOException {
        new ClaimStore(folder).keepClaim(gitlab.offer(7));
        gitlab.set(7, "claimed");
        fixture.restart(vm);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        assertThat(gitlab.count("POST request")).isZero();
        assertThat(controlPlane.reports).containsExactly(7L);
        var unused = fixture.broker.run(vm, job(7), Executor.SHELL);
        until("it runs", () -> gitlab.state(7).equals("running"));
    }

    @Test
    void aRestartWhileTheControlPlaneIsAwayKnowsItsGitLab() throws IOException {
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        var lost = fixture.broker.run(vm, job(7), Executor.SHELL);
        until("the runner was started", () -> !vm.started.isEmpty());
        controlPlane.knowsInstance = false;
        controlPlane.verdict = job -> FakeControlPlane.away();
        fixture.restart(vm);
        assertThat(lost.toCompletableFuture()).isNotDone();
        assertThat(fixture.guest().requestJob().status()).isEqualTo(201);
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(200);
        assertThat(get(fixture.broker.run(vm, job(7), Executor.SHELL)).end()).isEqualTo(End.SUCCEEDED);
    }

    @Test
    void anEndIsRememberedThoughTheVmIsGone() throws IOException {
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        var run = fixture.broker.run(vm, job(7), Executor.SHELL);
        until("the runner was started", () -> !vm.started.isEmpty());
        fixture.guest().requestJob();
        fixture.guest().put(7, "success");
        get(run);
        int updates = gitlab.updates.size();
        FakeVm dead = vm.nextBoot();
        dead.die();
        fixture.restart(dead);
        assertThat(get(fixture.broker.run(dead, job(7), Executor.SHELL)).end()).isEqualTo(End.SUCCEEDED);
        assertThat(gitlab.updates).hasSize(updates);
    }
}
