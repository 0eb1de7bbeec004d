package dev.mayfly.activities.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.activities.capacity.WithFleet;
import dev.mayfly.activities.gitlab.GitLabJobs.NotedRunner;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenRequest;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProjectRunnersTest extends WithFleet {

    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path work;

    private OnGitLab gitlab;
    private GitLabs clients;
    private ProjectRunners runners;
    private CiJob job;
    private Holding slot;

    @BeforeEach
    void start() throws IOException {
        gitlab = new OnGitLab(work);
        clients = gitlab.clients(null);
        runners = runners(clients);
        job = job(10, "actuated-2cpu", "shell");
        fleet.host("a", 2);
        slot = fleet.holds(job);
    }

    @AfterEach
    void stop() {
        clients.close();
        gitlab.close();
    }

    @Test
    void aRunnerIsOfThisProjectLockedAndCarriesExactlyTheJobsTagsAndOurMark() {
        ensure(job);

        JsonNode made = gitlab.runner(gitlab.runners().get(0));
        assertThat(made.path("runner_type").asText()).isEqualTo("project_type");
        assertThat(made.path("projects").findValuesAsText("id")).containsExactly(Long.toString(gitlab.project));
        assertThat(made.path("locked").asBoolean()).isTrue();
        assertThat(made.path("run_untagged").asBoolean(true)).isFalse();
        assertThat(tags(made)).containsExactly("actuated-2cpu", "shell");
        assertThat(made.path("description").asText()).isEqualTo("mayfly " + slot.slotId());
        assertThat(made.path("maintenance_note").asText())
                .contains(fleet.installation.id())
                .contains(job.webUrl());
        assertThat(made.path("maximum_timeout").asInt()).isEqualTo(7200);
        assertThat(runners.noted("gl", gitlab.project))
                .containsExactly(new NotedRunner(made.path("id").asLong(), slot.slotId()));
    }

    @Test
    void itsTokenIsNowhereInTheDatabaseInClear() {
        ensure(job);
        String token = gitlab.issued("runner").get(0);
        assertThat(runners.token("a", request(NONCE)))
                .map(RunnerTokenReply::token)
                .contains(token);

        assertThat(databaseText()).contains(slot.slotId()).doesNotContain(token).doesNotContain(hex(token));

        runners.removeOf(slot.slotId());
        int tokensLeft = fleet.database
                .jdbi()
                .withHandle(handle -> handle.createQuery("select count(token) from runner")
                        .mapTo(Integer.class)
                        .one());
        assertThat(tokensLeft).as("erased with the runner").isZero();
    }

    private static String databaseText() {
        StringBuilder text = new StringBuilder();
        for (String table : List.of("runner", "slot", "job", "outbox", "inbox", "host", "installation")) {
            fleet.database
                    .jdbi()
                    .useHandle(handle -> handle.createQuery("select row_to_json(t)::text from " + table + " t")
                            .mapTo(String.class)
                            .forEach(text::append));
        }
        return text.toString();
    }

    private static String hex(String text) {
        StringBuilder hex = new StringBuilder();
        text.chars().forEach(character -> hex.append("%02x".formatted(character)));
        return hex.toString();
    }

    @Test
    void ensuringAgainMakesNoSecondRunnerButSetsTheTagsOfWhoHoldsTheSlotNow() {
        ensure(job);
        ensure(job(11, "actuated-2cpu"));

        assertThat(gitlab.runners()).hasSize(1);
        assertThat(tags(gitlab.runner(gitlab.runners().get(0)))).containsExactly("actuated-2cpu");
        assertThat(fleet.slots.runners())
                .singleElement()
                .satisfies(row -> assertThat(row.tags()).containsExactly("actuated-2cpu"));
    }

    @Test
    void atGitLabsLimitOfRunnersItIsTriedAgainAndSaidWhatToDo() {
        gitlab.foreignRunner("somebody else's", "docker");
        gitlab.root("PUT", "/-/simulated-gitlab/admin/switches", Map.of("project_runner_limit", 1));
        assertThatThrownBy(() -> ensure(job)).isInstanceOfSatisfying(ApplicationFailure.class, failure -> {
            assertThat(failure.getType()).isEqualTo("GITLAB_UNAVAILABLE");
            assertThat(failure.isNonRetryable()).isFalse();
            assertThat(failure.getNextRetryDelay()).isEqualTo(Duration.ofSeconds(30));
            assertThat(failure.getOriginalMessage())
                    .contains("creating a runner", "Maximum number", "ci_registered_project_runners");
        });
    }

    @Test
    void fromTheClaimOnTheRunnerStaysAsItIs() {
        ensure(job);
        CiJob other = job(11, "actuated-2cpu");
        fleet.claim(slot, other);

        ensure(other);

        assertThat(tags(gitlab.runner(gitlab.runners().get(0)))).containsExactly("actuated-2cpu", "shell");
    }

    @Test
    void noRunnerIsMadeForAReleasedSlot() {
        fleet.capacity.leave(job.key());
        fleet.capacity.release(job.key(), slot.slotId());

        ensure(job);

        assertThat(gitlab.runners()).isEmpty();
    }

    @Test
    void aRunnerThatSomebodyRemovedIsReplaced() {
        ensure(job);
        long first = gitlab.runners().get(0);
        gitlab.call("DELETE", "/api/v4/runners/" + first, Map.of("PRIVATE-TOKEN", gitlab.server.rootToken()), null);

        ensure(job);

        assertThat(gitlab.runners()).hasSize(1).doesNotContain(first);
        assertThat(runners.token("a", request(NONCE)))
                .map(RunnerTokenReply::runnerId)
                .contains(gitlab.runners().get(0));
    }

    @Test
    void aRunnerThatACrashLeftUnwrittenIsRemovedByTheNextTryAndOthersAreNot() {
        gitlab.foreignRunner("mayfly " + slot.slotId(), "actuated-2cpu");
        gitlab.foreignRunner("mayfly zzzzz-1", "actuated-2cpu");
        gitlab.foreignRunner("somebody's mayfly " + slot.slotId(), "actuated-2cpu");

        runners.ensure(slot.slotId(), job, true);

        assertThat(gitlab.runners().stream()
                        .map(id -> gitlab.runner(id).path("description").asText()))
                .containsExactlyInAnyOrder(
                        "mayfly " + slot.slotId(), "mayfly zzzzz-1", "somebody's mayfly " + slot.slotId());
        assertThat(fleet.slots.runners())
                .singleElement()
                .satisfies(row -> assertThat(row.runnerId()).isEqualTo(ours()));
    }

    private long ours() {
        return runners.noted("gl", gitlab.project).get(0).runnerId();
    }

    @Test
    void removingIsRepeatableAndTakesARunnerThatIsGoneForRemoved() {
        ensure(job);
        long runner = gitlab.runners().get(0);

        runners.removeOf(slot.slotId());
        runners.removeOf(slot.slotId());
        runners.remove("gl", runner);
        runners.removeOf("zzzzz-1");

        assertThat(gitlab.runners()).isEmpty();
        assertThat(fleet.slots.runners()).isEmpty();
    }

    @Test
    void whileGitLabIsAwayTheRunnerCountsAsThere() {
        ensure(job);
        gitlab.faults(Map.of("method", "DELETE", "path", "/api/v4/runners", "status", 503, "retryAfter", 60));

        ApplicationFailure failure =
                catchThrowableOfType(ApplicationFailure.class, () -> runners.removeOf(slot.slotId()));

        assertThat(failure.getType()).isEqualTo(FailureType.GITLAB_UNAVAILABLE.name());
        assertThat(failure.getNextRetryDelay()).isEqualTo(Duration.ofSeconds(60));
        assertThat(fleet.slots.runners()).hasSize(1);
        gitlab.faults();
        runners.removeOf(slot.slotId());
        assertThat(fleet.slots.runners()).isEmpty();
    }

    @Test
    void aTokenThatMayNotMakeRunnersIsRefusedByNameOfProjectScopeOrRole() {
        try (GitLabs reader = gitlab.clients(gitlab.accessToken(50, "read_api"));
                GitLabs developer = gitlab.clients(gitlab.accessToken(30, "api"))) {
            ApplicationFailure noScope = refusal(reader);
            assertThat(noScope.isNonRetryable()).isTrue();
            assertThat(noScope.getOriginalMessage())
                    .startsWith("creating a runner in acme/app of GitLab gl: 403")
                    .contains("lacks the scope api");
            assertThat(refusal(developer).getOriginalMessage()).contains("Maintainer or Owner");
        }
    }

    private ApplicationFailure refusal(GitLabs with) {
        return catchThrowableOfType(
                ApplicationFailure.class, () -> runners(with).ensure(slot.slotId(), job, false));
    }

    @Test
    void theTokenGoesToTheSlotsHostAndToTheFirstNonceOnly() {
        assertThat(runners.token("a", request(NONCE))).as("no runner yet").isEmpty();
        ensure(job);

        Optional<RunnerTokenReply> first = runners.token("a", request(NONCE));
        assertThat(first).isPresent();
        assertThat(runners.token("a", request(NONCE)))
                .as("a lost reply loses nothing")
                .isEqualTo(first);
        assertThat(first.orElseThrow().toString())
                .doesNotContain(gitlab.issued("runner").get(0));
        refused("a", request("ffffffffffffffffffffffffffffffff"), "another nonce");
        refused("b", request(NONCE), "no slot of host b");
        refused("a", new RunnerTokenRequest("a", slot.slotId(), slot.epoch() + 1, NONCE), "epoch 2 is over");
    }

    @Test
    void noTokenIsGivenForAReleasedSlotOrALostHost() {
        ensure(job);
        CiJob other = job(11, "actuated-2cpu");
        Holding released = fleet.holds(other);
        fleet.capacity.leave(other.key());
        fleet.capacity.release(other.key(), released.slotId());
        refused("a", new RunnerTokenRequest("a", released.slotId(), 1, NONCE), "it is released");

        fleet.loseSilentHosts();
        refused("a", request(NONCE), "epoch 1 is over");
    }

    private void refused(String host, RunnerTokenRequest request, String why) {
        assertThatThrownBy(() -> runners.token(host, request))
                .isInstanceOf(TokenRefusedException.class)
                .hasMessageContaining(request.slotId())
                .hasMessageContaining(why);
    }

    private void ensure(CiJob of) {
        runners.ensure(slot.slotId(), of, false);
    }

    private RunnerTokenRequest request(String nonce) {
        return new RunnerTokenRequest("a", slot.slotId(), slot.epoch(), nonce);
    }

    private CiJob job(long id, String... tags) {
        return OnGitLab.ciJob(new JobKey("gl", gitlab.project, id), tags);
    }

    private static List<String> tags(JsonNode runner) {
        List<String> tags = new ArrayList<>();
        runner.path("tag_list").forEach(tag -> tags.add(tag.asText()));
        return tags;
    }

    private static ProjectRunners runners(GitLabs with) {
        return new ProjectRunners(
                fleet.database.jdbi(), fleet.clock, with, fleet.sealer, fleet.installation.id(), Duration.ofHours(2));
    }
}
