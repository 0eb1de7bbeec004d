package dev.mayfly.api.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.ControlPlane.Answer;
import dev.mayfly.api.TestProject;
import io.temporal.client.WorkflowClient;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Each of the sweeper's rules, with an orphan planted for it. The host is there, but no agent does its work. */
final class SweeperTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern TARGET = Pattern.compile("target: \"([^\"]+)\"");

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane(
            config -> config + "sweeper: {every: 1s, agreeAfter: 1s, olderThan: 1s, brakeCount: 50}\n");

    private static TestProject project;
    private static long epoch;

    @BeforeAll
    static void aHostAndSomeJobs(@TempDir Path work) {
        epoch = lease(0);
        project = new TestProject(CONTROL_PLANE.gitlab(), "acme/app");
        project.push(work, """
                terminated: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                unclaimed: {tags: [actuated-2cpu-1gb, shell], script: "true"}
                """);
    }

    private static long lease(long known) {
        Answer answer = agent(
                "/agent/v1/lease",
                Map.of(
                        "hostId", "host-1",
                        "agentVersion", "1",
                        "capacity", Map.of("milliCpus", 8000, "memoryMib", 16_384, "diskMib", 100_000),
                        "arch", "x86_64",
                        "driver", "simulated",
                        "epoch", known,
                        "inventory", List.of()));
        return answer.json().path("epoch").asLong();
    }

    private static Answer agent(String path, Object body) {
        try {
            Answer answer = CONTROL_PLANE.agent(path, ControlPlane.CREDENTIAL, JSON.writeValueAsString(body));
            assertThat(answer.status()).as(answer.body()).isIn(200, 425);
            return answer;
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    /** Has this job's workflow started; the slot that it got. */
    private static String slotOf(String name) {
        long job = project.job(name);
        CONTROL_PLANE.webhook("pending-" + name, project.event(job, "pending"));
        ControlPlane.await(
                name + " has a slot",
                () -> CONTROL_PLANE.get("/api/v1/jobs/" + job).status() == 200
                        && !ours(job).path("slotId").isNull());
        return ours(job).path("slotId").asText();
    }

    private static JsonNode ours(long job) {
        return CONTROL_PLANE.get("/api/v1/jobs/" + job).json();
    }

    private static void awaitLine(String... texts) {
        ControlPlane.await(
                "a line with " + List.of(texts),
                () -> CONTROL_PLANE.logged(texts[0]).stream()
                        .anyMatch(line -> List.of(texts).stream().allMatch(line::contains)));
    }

    private static boolean isThere(long runner) {
        for (JsonNode each :
                project.call("GET", "/projects/%d/runners?per_page=100".formatted(project.id()), Map.of())) {
            if (each.path("id").asLong() == runner) {
                return true;
            }
        }
        return false;
    }

    private static String installation() {
        return CONTROL_PLANE.get("/api/v1/version").json().path("installation").asText();
    }

    @Test
    void aSlotWhoseWorkflowWasTerminatedIsTakenAndItsJobStartsAgain() throws IOException {
        String slot = slotOf("terminated");
        String workflow = ours(project.job("terminated")).path("id").asText();
        Matcher target = TARGET.matcher(Files.readString(CONTROL_PLANE.config()));
        assertThat(target.find()).isTrue();
        WorkflowServiceStubs stubs = WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                .setTarget(target.group(1))
                .build());
        try {
            WorkflowClient.newInstance(stubs).newUntypedWorkflowStub(workflow).terminate("by hand");
        } finally {
            stubs.shutdownNow();
        }
        awaitLine(workflow, "its workflow does not run; removing its slot " + slot);
        awaitLine("the sweeper takes slot " + slot);
        awaitLine(workflow, "its workflow does not run though it has not ended; looking it up again");
        ControlPlane.await(
                "it has another slot",
                () -> !slot.equals(
                        ours(project.job("terminated")).path("slotId").asText()));
    }

    @Test
    void aRunnerOfOursThatNoSlotIsKnownOfIsRemovedAndAForeignOneIsNot() {
        slotOf("unclaimed"); // the project is an active one
        long orphan = project.createRunner("mayfly %s-99".formatted(installation()));
        long foreign = project.createRunner("mayfly abcde-99");
        assertThat(isThere(orphan)).isTrue();
        ControlPlane.await("the orphan is gone", () -> !isThere(orphan));
        assertThat(isThere(foreign)).isTrue();
    }

    @Test
    void aRunnerWhoseSlotIsReleasedIsRemoved() throws SQLException {
        slotOf("unclaimed"); // something for a slot to be made for
        String slot = installation() + "-88";
        long runner = project.createRunner("mayfly " + slot);
        CONTROL_PLANE.execute("""
                insert into slot (id, host_id, epoch, milli_cpus, memory_mib, disk_mib, arch, made_for, created_at,
                    released_at, released_by)
                select '%1$s', 'host-1', %2$d, 1000, 1024, 0, 'x86_64', key, now(), now(), key from job limit 1;
                insert into runner (slot_id, instance, project_id, runner_id, tags, created_at)
                values ('%1$s', 'gl', %3$d, %4$d, '{}', now())
                """.formatted(slot, epoch, project.id(), runner));
        awaitLine("its slot " + slot + " is gone; removing it");
        ControlPlane.await("the runner is gone", () -> !isThere(runner));
    }

    @Test
    void aJobAtOneOfOurRunnersThatNoHostHasInHandIsEnded() {
        String slot = slotOf("unclaimed");
        lease(epoch);
        Map<String, Object> request =
                Map.of("hostId", "host-1", "slotId", slot, "epoch", epoch, "nonce", "0".repeat(32));
        ControlPlane.await(
                "the runner's token",
                () -> agent("/agent/v1/runner-token", request).status() == 200);
        String token =
                agent("/agent/v1/runner-token", request).json().path("token").asText();
        JsonNode handed = project.call(
                "POST",
                "/jobs/request",
                Map.of("token", token, "system_id", "s_0123456789ab", "info", Map.of("features", Map.of())));
        assertThat(handed.path("id").asLong()).isEqualTo(project.job("unclaimed"));
        awaitLine("GitLab shows it at the runner of slot " + slot, "no host has it in hand; ending it");
        ControlPlane.await(
                "GitLab has ended it",
                () -> project.call(
                                "GET",
                                "/projects/%d/jobs/%d".formatted(project.id(), project.job("unclaimed")),
                                Map.of())
                        .path("status")
                        .asText()
                        .equals("canceled"));
    }
}
