package dev.mayfly.agent.claim;

import static dev.mayfly.agent.claim.ClaimFixture.get;
import static dev.mayfly.agent.claim.ClaimFixture.job;
import static dev.mayfly.agent.claim.ClaimFixture.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.job.Executor;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which requests for a job the broker sends, and what ends them. */
class AskingForAJobTest extends ClaimTest {

    @Test
    void asksWithTheImagesOwnFeaturesUntilThereIsAJob() {
        CompletionStage<Claimed> call = fixture.broker.claim(vm, job(7));
        until("GitLab was asked twice", () -> gitlab.count("POST request") >= 2);
        gitlab.offer(7);
        assertThat(get(call)).isEqualTo(Claimed.CLAIMED);
        JsonNode request = gitlab.requests.get(0);
        assertThat(request.path("token").asText()).isEqualTo("glrt-secret");
        assertThat(request.path("system_id").asText()).isEqualTo("s_0123456789ab");
        assertThat(request.has("last_update")).isFalse();
        assertThat(request.path("info").path("version").asText()).isEqualTo("15.4.2");
        JsonNode features = request.path("info").path("features");
        assertThat(features.path("variables").asBoolean()).isTrue();
        assertThat(features.get("image").asBoolean()).isFalse();
        assertThat(features.path("two_phase_job_commit").asBoolean()).isTrue();
        assertThat(controlPlane.reports).containsExactly(7L);
        assertThat(fixture.broker.claimedJob(vm.slotId())).contains(7L);
    }

    @Test
    void doesNotAskBeforeTheVmAnswers() throws IOException {
        FakeVm booting = vm.nextBoot();
        fixture.broker.adopt(booting);
        CompletionStage<Claimed> call = fixture.broker.claim(booting, job(7));
        gitlab.offer(7);
        assertThat(get(fixture.broker.run(booting, job(7), Executor.SHELL)).end())
                .isEqualTo(End.REASSIGNED);
        assertThat(gitlab.calls).isEmpty();
        booting.answering();
        assertThat(get(call)).isEqualTo(Claimed.CLAIMED);
    }

    @Test
    void asksOnAfterErrorsOfGitLab() {
        gitlab.fault = call -> switch (gitlab.calls.size()) {
            case 1 -> 500;
            case 2 -> 409;
            case 3 -> 429;
            default -> null;
        };
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
    }

    @Test
    void aSlotWithAClaimNeverAsksAgain() {
        gitlab.offer(7);
        gitlab.offer(8);
        get(fixture.broker.claim(vm, job(7)));
        assertThat(get(fixture.broker.claim(vm, job(8)))).isEqualTo(Claimed.REASSIGNED);
        until("the claim was kept alive a while", () -> gitlab.count("PUT 7 pending") >= 5);
        assertThat(gitlab.count("POST request")).isEqualTo(1);
    }

    @Test
    void theClaimOfAnotherJobReassigns() {
        gitlab.offer(6);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(get(fixture.broker.run(vm, job(7), Executor.SHELL)).end()).isEqualTo(End.REASSIGNED);
    }

    @Test
    void aVmThatDiesWhileAskingEndsTheCall() {
        var claim = fixture.broker.claim(vm, job(7));
        until("GitLab was asked", () -> gitlab.count("POST request") >= 1);
        vm.die();
        assertThat(get(claim)).isEqualTo(Claimed.VM_DIED);
    }

    @Test
    void aForgottenSlotAnswersWhoStillWaits() {
        var claim = fixture.broker.claim(vm, job(7));
        fixture.broker.forget(vm.slotId());
        assertThat(get(claim)).isEqualTo(Claimed.REASSIGNED);
    }

    /** The agent was cut off after GitLab had handed a job out: nobody here knows of it. The control plane ends it. */
    @Test
    void aReplyThatIsLostLeavesNoClaimAndIsAskedOn() {
        gitlab.cut = call -> call.equals("POST request") && gitlab.count(call) == 1;
        gitlab.offer(6);
        gitlab.offer(7);
        CompletionStage<Claimed> call = fixture.broker.claim(vm, job(7));
        until("GitLab had handed it out", () -> gitlab.state(6).equals("claimed"));
        assertThat(fixture.broker.claimedJob(vm.slotId())).isNotEqualTo(Optional.of(6L));
        assertThat(get(call)).isEqualTo(Claimed.CLAIMED);
        assertThat(controlPlane.reports).containsExactly(7L);
        assertThat(gitlab.calls).noneMatch(each -> each.startsWith("PUT 6"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{\"id\":7,\"tok", "{\"id\":7}", "<html>"})
    void anAnswerWithoutAJobIsNoClaimAndIsAskedOnAfterAPause(String body) {
        gitlab.offer(body.getBytes(StandardCharsets.UTF_8));
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        assertThat(gitlab.gap("POST request", 1)).isGreaterThanOrEqualTo(ClaimFixture.BLINK);
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 422})
    void aRunnerThatGitLabRefusesEndsTheCallWithAReasonForPeople(int status) {
        gitlab.fault = call -> status;
        CompletionStage<Claimed> call = fixture.broker.claim(vm, job(7));
        assertThatThrownBy(() -> get(call))
                .hasRootCauseInstanceOf(ApplicationFailure.class)
                .rootCause()
                .hasMessageContaining("slot k3x9p-1: GitLab instance 'gl' refuses its runner (HTTP " + status)
                .matches(failure -> FailureType.GITLAB_REFUSED.is((ApplicationFailure) failure));
        assertThat(gitlab.calls).hasSize(3);
        gitlab.fault = each -> null;
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
    }

    /** A runner that was removed by hand is made anew by the control plane, with another token. */
    @Test
    void aRefusedTokenIsFetchedAgainWithTheSameNonce() {
        gitlab.fault = call -> gitlab.calls.size() <= 2 ? 403 : null;
        gitlab.offer(7);
        controlPlane.tokens.addAll(List.of("glrt-removed", "glrt-removed", "glrt-anew"));
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        assertThat(gitlab.requests.get(0).path("token").asText()).isEqualTo("glrt-anew");
        assertThat(controlPlane.nonces).hasSize(3).containsOnly(controlPlane.nonces.get(0));
    }

    @Test
    void aControlPlaneThatDoesNotBelieveThisHostEndsTheCallWithAReasonForPeople() {
        controlPlane.noToken = new ControlPlaneCalls.NotBelieved("h1: issue a new credential");
        assertThatThrownBy(() -> get(fixture.broker.claim(vm, job(7))))
                .rootCause()
                .hasMessageContaining("slot k3x9p-1 gets no runner token")
                .hasMessageContaining("issue a new credential")
                .matches(failure -> FailureType.HOST_UNFIT.is((ApplicationFailure) failure));
        assertThat(controlPlane.nonces).hasSize(1);
        controlPlane.noToken = null;
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
    }

    @Test
    void waitsForARunnerThatIsNotRegisteredYet() {
        controlPlane.noToken = new ControlPlaneCalls.NotYet("no runner yet");
        gitlab.offer(7);
        CompletionStage<Claimed> call = fixture.broker.claim(vm, job(7));
        until("it asked the control plane again", () -> controlPlane.nonces.size() >= 3);
        assertThat(gitlab.calls).isEmpty();
        controlPlane.noToken = null;
        assertThat(get(call)).isEqualTo(Claimed.CLAIMED);
    }

    @Test
    void aSlotWithoutATokenForGoodAsksNoMore() {
        controlPlane.noToken = new ControlPlaneCalls.Refused("the slot is released");
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(gitlab.calls).isEmpty();
    }

    @Test
    void asksNoSoonerThanGitLabWants() {
        gitlab.fault = call -> gitlab.calls.size() == 1 ? 429 : null;
        gitlab.retryAfter = "1";
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        assertThat(gitlab.gap("POST request", 1)).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }
}
