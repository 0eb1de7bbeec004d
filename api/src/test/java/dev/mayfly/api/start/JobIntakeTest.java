package dev.mayfly.api.start;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.TestProject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of jobs by their tags, as REST shows it, in a fleet of two unlike hosts. */
final class JobIntakeTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane();

    private static TestProject project;

    @BeforeAll
    static void push(@TempDir Path work) {
        lease("host-1", ControlPlane.CREDENTIAL, 8000, 4096);
        lease("host-2", ControlPlane.OTHER_CREDENTIAL, 2000, 16384);
        project = new TestProject(CONTROL_PLANE.gitlab(), "acme/intake");
        project.push(work, """
                fits: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                both: {tags: [actuated-8cpu-16gb, shell], script: "true"}
                nonsense: {tags: [actuated-lots, shell], script: "true"}
                two: {tags: [actuated-1cpu, actuated-2cpu, shell], script: "true"}
                docker: {tags: [actuated-1cpu], script: "true"}
                arm: {tags: [actuated-1cpu-arm64, shell], script: "true"}
                later: {tags: [actuated-1cpu, shell], script: "true", when: manual}
                """);
    }

    private static void lease(String host, String credential, int milliCpus, int memoryMib) {
        String body = """
                {"hostId":"%s","agentVersion":"1","capacity":{"milliCpus":%d,"memoryMib":%d,"diskMib":100000},
                 "arch":"x86_64","driver":"simulated","epoch":0,"inventory":[]}""".formatted(host, milliCpus, memoryMib);
        var answer = CONTROL_PLANE.send(
                "POST",
                CONTROL_PLANE.url() + "/agent/v1/lease",
                Map.of("Authorization", "Bearer " + credential, "Content-Type", "application/json"),
                body.getBytes(StandardCharsets.UTF_8));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    }

    private static JsonNode after(String name) {
        long id = project.job(name);
        assertThat(CONTROL_PLANE
                        .webhook("key-" + name, """
                                {"object_kind":"build","build_id":%d,"build_status":"pending","project_id":%d}""".formatted(id, project.id()))
                        .status())
                .isEqualTo(200);
        ControlPlane.await(
                name + " is known",
                () -> CONTROL_PLANE.get("/api/v1/jobs/" + id).status() == 200);
        return CONTROL_PLANE.get("/api/v1/jobs/" + id).json();
    }

    @Test
    void aJobThatFitsOneHostIsStarted() {
        JsonNode job = after("fits");
        assertThat(job.path("refusal").isNull()).isTrue();
        assertThat(job.path("size").path("milliCpus").asInt()).isEqualTo(1000);
        ControlPlane.await(
                "its workflow runs",
                () -> !CONTROL_PLANE
                        .logged(":" + project.job("fits") + ": workflow runs")
                        .isEmpty());
    }

    @Test
    void aJobThatFitsOnlyTheBestOfSeveralHostsIsRefusedAndToldWhy() {
        assertThat(after("both").path("refusal").asText())
                .contains(
                        "8 CPUs, 16792 MiB", "no single host", "host-1 (8 CPUs, 4096 MiB", "host-2 (2 CPUs, 16384 MiB");
    }

    @Test
    void tagsThatDoNotParseAreRefusedAndNeverRunInAnotherSize() {
        assertThat(after("nonsense").path("refusal").asText()).contains("actuated-lots", "does not parse");
        assertThat(after("two").path("refusal").asText()).contains("more than one size");
    }

    @Test
    void anArchitectureThatNoHostHasIsRefused() {
        assertThat(after("arm").path("refusal").asText()).contains("no host of this installation is arm64");
    }

    @Test
    void aJobWithoutTheShellTagIsForTheDockerExecutor() {
        JsonNode job = after("docker");
        assertThat(job.path("refusal").isNull()).as(job.toString()).isTrue();
        assertThat(job.path("executor").asText()).isEqualTo("DOCKER");
        assertThat(after("fits").path("executor").asText()).isEqualTo("SHELL");
    }

    @Test
    void aManualJobWaitsForItsUserThoughAHintCame() {
        assertThat(after("later").path("status").asText()).isEqualTo("manual");
        assertThat(CONTROL_PLANE.logged(":" + project.job("later") + ": workflow runs"))
                .isEmpty();
        assertThat(CONTROL_PLANE.logged(":" + project.job("later") + ": ignored: GitLab shows it as manual"))
                .hasSize(1);
    }
}
