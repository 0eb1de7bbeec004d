package dev.mayfly.agent.claim;

import static dev.mayfly.agent.claim.ClaimFixture.get;
import static dev.mayfly.agent.claim.ClaimFixture.job;
import static dev.mayfly.agent.claim.ClaimFixture.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From the commit to the job's end: what the guest sees through the relay, and who speaks when it can't. */
class RelayedJobTest extends ClaimTest {

    private CompletionStage<Ran> running() {
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        CompletionStage<Ran> run = fixture.broker.run(vm, job(7), Executor.SHELL);
        until("the runner was started", () -> !vm.started.isEmpty());
        return run;
    }

    @Test
    void aVmThatIsNotBoundYetIsToldToWait() throws IOException {
        assertThat(fixture.guest().requestJob().status()).isEqualTo(503);
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(503);
    }

    @Test
    void thePayloadIsServedAgainAndIdenticallyUntilTheFirstUpdate() throws IOException {
        CompletionStage<Ran> run = running();
        String payload = new String(FakeGitLab.payload(7), StandardCharsets.UTF_8);
        assertThat(vm.wasServed()).isFalse();
        assertThat(fixture.guest().requestJob().body()).isEqualTo(payload);
        assertThat(vm.wasServed()).isTrue();
        assertThat(fixture.guest().requestJob().body()).isEqualTo(payload);
        assertThat(fixture.guest().patch(7, 0, "hello").status()).isEqualTo(202);
        assertThat(fixture.guest().requestJob().status()).isEqualTo(204);
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(200);
        assertThat(get(run).end()).isEqualTo(End.SUCCEEDED);
        assertThat(gitlab.log()).isEqualTo("hello");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aJobRunsToItsEndWithTwoPhaseCommitAndWithout(boolean twoPhase) throws IOException {
        gitlab.twoPhase = twoPhase;
        CompletionStage<Ran> run = running();
        assertThat(gitlab.state(7)).isEqualTo("running");
        assertThat(fixture.guest().requestJob().status()).isEqualTo(201);
        assertThat(fixture.guest().patch(7, 0, "hello").status()).isEqualTo(202);
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(200);
        assertThat(get(run).end()).isEqualTo(End.SUCCEEDED);
        assertThat(gitlab.calls).containsSubsequence("POST request", "PUT 7 running", "PATCH 7", "PUT 7 success");
    }

    @Test
    void theRunnersTokenNeverEntersTheGuest() throws IOException {
        var unused = running();
        assertThat(gitlab.requests.get(0).path("token").asText()).isEqualTo("glrt-secret");
        assertThat(vm.vmTokens).isNotEmpty().noneMatch(token -> token.contains("glrt-"));
        assertThat(fixture.guest().requestJob().text()).doesNotContain("glrt-");
    }

    @Test
    void aJournalThatCannotBeWrittenKeepsThePayloadBack() throws IOException {
        var unused = running();
        vm.journalBroken = true;
        assertThat(fixture.guest().requestJob().status()).isEqualTo(503);
        vm.journalBroken = false;
        assertThat(fixture.guest().requestJob().status()).isEqualTo(201);
    }

    @Test
    void aRestartedAgentServesOnAndSeesTheEnd() throws IOException {
        var lost = running();
        assertThat(fixture.guest().requestJob().status()).isEqualTo(201);
        fixture.restart(vm);
        assertThat(lost.toCompletableFuture()).isNotDone();
        assertThat(fixture.guest().requestJob().status()).isEqualTo(201);
        CompletionStage<Ran> run = fixture.broker.run(vm, job(7), Executor.SHELL);
        assertThat(fixture.guest().put(7, "failed").status()).isEqualTo(200);
        assertThat(get(run).end()).isEqualTo(End.FAILED);
        assertThat(gitlab.count("POST request")).isEqualTo(1);
    }

    @Test
    void theBrokerSpeaksForAVmThatDiesAndHidesMaskedValues() throws IOException {
        CompletionStage<Ran> run = running();
        fixture.guest().requestJob();
        fixture.guest().patch(7, 0, "begun");
        vm.console = List.of("password hunter-two", "\u001b[31mkernel panic\u001b[0m");
        vm.die();
        assertThat(get(run).end()).isEqualTo(End.VM_LOST);
        assertThat(gitlab.state(7)).isEqualTo("failed");
        assertThat(gitlab.updates
                        .get(gitlab.updates.size() - 1)
                        .path("failure_reason")
                        .asText())
                .isEqualTo("runner_system_failure");
        assertThat(gitlab.updates.get(gitlab.updates.size() - 1).has("output")).isFalse();
        assertThat(gitlab.log()).startsWith("begun").contains("kernel panic").doesNotContain("hunter-two", "\u001b");
    }

    /** The kernel says it on the console; that the runner's job failed, or the VM died, is only what came of it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void memoryThatRanOutIsNamedWithTheTagThatHelpsAlsoByAnAgentThatWasRestarted(boolean vmDies) throws IOException {
        var lost = running();
        assertThat(vm.advice).isEqualTo("ask for a larger tag");
        fixture.guest().requestJob();
        fixture.guest().patch(7, 0, "begun");
        fixture.restart(vm);
        CompletionStage<Ran> run = fixture.broker.run(vm, job(7), Executor.SHELL);
        vm.console = List.of("[ 12.3] Out of memory: Killed process 300 (python3) total-vm:900kB");
        if (vmDies) {
            vm.die();
        } else {
            fixture.guest().put(7, "failed");
        }
        assertThat(get(run).detail()).contains("the VM ran out of memory: ask for a larger tag");
        assertThat(gitlab.log().contains("ran out of memory: ask for a larger tag"))
                .isEqualTo(vmDies);
        assertThat(lost.toCompletableFuture()).isNotDone();
    }

    @Test
    void noMoreThanTheEndOfTheConsoleGoesIntoTheLog() throws IOException {
        CompletionStage<Ran> run = running();
        fixture.guest().requestJob();
        vm.console = IntStream.range(0, 200).mapToObj(line -> "line " + line).toList();
        vm.die();
        get(run);
        assertThat(gitlab.log().lines().filter(line -> line.startsWith("  line ")))
                .hasSize(50);
        assertThat(gitlab.log()).endsWith("  line 199\n");
    }

    @Test
    void aJobThatIsCancelledInOrderIsWoundUpByItsRunner() throws IOException {
        CompletionStage<Ran> run = running();
        fixture.guest().requestJob();
        fixture.guest().patch(7, 0, "begun");
        gitlab.set(7, "canceling");
        assertThat(fixture.guest().patch(7, 5, " after_script").text()).containsIgnoringCase("Job-Status: canceling");
        assertThat(run.toCompletableFuture()).isNotDone();
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(200);
        assertThat(get(run).end()).isEqualTo(End.ENDED_IN_GITLAB);
        assertThat(gitlab.state(7)).isEqualTo("canceled");
        assertThat(gitlab.log()).isEqualTo("begun after_script");
    }

    /** Anything in the VM can send one; what GitLab answers to it says nothing of the job. */
    @Test
    void anUpdateWithAnotherTokenDoesNotPassForTheJobsEnd() throws IOException {
        CompletionStage<Ran> run = running();
        fixture.guest().requestJob();
        assertThat(fixture.guest()
                        .send("PATCH", "/api/v4/jobs/7/trace", "x", "Content-Range: 0-0", "JOB-TOKEN: job-token-8")
                        .status())
                .isEqualTo(403);
        assertThat(fixture.guest()
                        .send("PUT", "/api/v4/jobs/7", "{\"token\":\"job-token-8\",\"state\":\"success\"}")
                        .status())
                .isEqualTo(403);
        assertThat(fixture.guest().requestJob().status()).isEqualTo(201);
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(200);
        assertThat(get(run).end()).isEqualTo(End.SUCCEEDED);
    }

    @Test
    void aRunnerThatContinuesElsewhereIsToldTheOffset() throws IOException {
        var unused = running();
        fixture.guest().requestJob();
        fixture.guest().patch(7, 0, "12345");
        Guest.Answer answer = fixture.guest().patch(7, 9, "x");
        assertThat(answer.status()).isEqualTo(416);
        assertThat(answer.text()).containsIgnoringCase("Range: 0-5\r\n");
        assertThat(fixture.guest().patch(7, 5, "67").status()).isEqualTo(202);
        assertThat(gitlab.log()).isEqualTo("1234567");
    }

    /** The runner was done when its VM ended: what it had sent last is waited for. */
    @Test
    void aFinalUpdateUnderWayWhenTheVmEndsCounts() throws Exception {
        CompletionStage<Ran> run = running();
        fixture.guest().requestJob();
        gitlab.heldPrefix = "PUT 7 success";
        var update = new FutureTask<>(() -> fixture.guest().put(7, "success").status());
        new Thread(update, "guest").start();
        until("GitLab has it", () -> gitlab.count("PUT 7 success") == 1);
        vm.die();
        assertThatThrownBy(() -> run.toCompletableFuture().get(300, TimeUnit.MILLISECONDS))
                .as("nobody speaks for the VM yet")
                .isInstanceOf(TimeoutException.class);
        gitlab.gate.countDown();
        assertThat(get(run).end()).isEqualTo(End.SUCCEEDED);
        assertThat(update.get(10, TimeUnit.SECONDS)).isEqualTo(200);
        assertThat(gitlab.count("PUT 7 failed")).isZero();
    }

    @Test
    void aVmThatDiesUnservedIsReplacedUnderTheSameClaim() throws IOException {
        CompletionStage<Ran> run = running();
        vm.die();
        assertThat(get(run).end()).isEqualTo(End.VM_DIED_UNSERVED);
        assertThat(gitlab.state(7)).isEqualTo("running");
        FakeVm next = vm.nextBoot().answering();
        fixture.broker.adopt(next);
        CompletionStage<Ran> again = fixture.broker.run(next, job(7), Executor.SHELL);
        until("the runner was started", () -> !next.started.isEmpty());
        assertThat(fixture.guest().requestJob().status()).isEqualTo(201);
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(200);
        assertThat(get(again).end()).isEqualTo(End.SUCCEEDED);
    }

    @Test
    void aJobThatEndedInGitLabIsBelievedToHave() throws IOException {
        CompletionStage<Ran> run = running();
        fixture.guest().requestJob();
        gitlab.set(7, "canceled");
        assertThat(fixture.guest().patch(7, 0, "x").status()).isEqualTo(403);
        assertThat(get(run).end()).isEqualTo(End.ENDED_IN_GITLAB);
    }

    /** The broker's own keeping alive may cross its commit; GitLab answers it 400 then. */
    private List<String> callsApartFromKeepAlive() {
        return gitlab.calls.stream()
                .filter(call -> !call.equals("PUT 7 pending"))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "GET,/api/v4/jobs/7",
        "PUT,/api/v4/jobs/8",
        "PATCH,/api/v4/jobs/8/trace",
        "GET,/api/v4/jobs/8/artifacts",
        "POST,/api/v4/jobs/3/artifacts",
        "PUT,/api/v4/jobs/7/../8",
        "PUT,/api/v4/jobs/%37",
        "PUT,//api/v4/jobs/7",
        "PUT,http://169.254.169.254/api/v4/jobs/7",
        "PUT,/api/v4/jobs/07",
        "POST,/api/v4/jobs/request?token=x",
        "GET,/api/v4/user",
    })
    void allElseIsRefusedAndNeverReachesGitLab(String method, String path) throws IOException {
        var unused = running();
        List<String> before = callsApartFromKeepAlive();
        assertThat(fixture.guest().send(method, path, "{}").status()).isEqualTo(403);
        assertThat(callsApartFromKeepAlive()).isEqualTo(before);
    }

    @Test
    void anotherVmNeverSeesTheJob() throws IOException {
        var unused = running();
        Guest stranger = new Guest(fixture.broker.relayAddress(), "127.0.0.8");
        assertThat(stranger.requestJob().status()).isEqualTo(403);
        assertThat(stranger.put(7, "success").status()).isEqualTo(403);
        FakeVm other = new FakeVm("k3x9p-2", folder.resolve("other"), new AtomicBoolean(), "127.0.0.8");
        Files.createDirectory(folder.resolve("other"));
        fixture.broker.adopt(other);
        assertThat(stranger.requestJob().status()).isEqualTo(503);
        assertThat(stranger.put(7, "success").status()).isEqualTo(503);
        assertThat(gitlab.state(7)).isEqualTo("running");
    }

    @Test
    void aSecondRequestOnAConnectionIsDropped() throws IOException {
        var unused = running();
        fixture.guest().requestJob();
        String one =
                "PATCH /api/v4/jobs/7/trace HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: job-token-7\r\nContent-Range: 0-1\r\nContent-Length: 2\r\n\r\nab";
        String two = "PUT /api/v4/jobs/8 HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{\"state\":\"success\"} ";
        try (Socket socket = fixture.guest().connect()) {
            socket.getOutputStream().write((one + two).getBytes(StandardCharsets.UTF_8));
            Guest.Answer answer = Guest.read(socket.getInputStream());
            assertThat(answer.status()).isEqualTo(202);
            assertThat(answer.text().split("HTTP/1.1", -1)).hasSize(2);
        }
        assertThat(gitlab.log()).isEqualTo("ab");
        assertThat(gitlab.calls).noneMatch(call -> call.contains(" 8"));
    }

    @Test
    void gitLabsErrorsReachTheGuestAsTheyAre() throws IOException {
        CompletionStage<Ran> run = running();
        fixture.guest().requestJob();
        gitlab.fault = call -> call.equals("PUT 7 success") ? 502 : null;
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(502);
        assertThat(run.toCompletableFuture()).isNotDone();
        gitlab.fault = call -> null;
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(200);
        assertThat(get(run).end()).isEqualTo(End.SUCCEEDED);
    }
}
