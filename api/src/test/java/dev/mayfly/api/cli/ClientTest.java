package dev.mayfly.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.Mayfly;
import dev.mayfly.api.TestProject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The commands that ask a running control plane. */
final class ClientTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane();

    private static TestProject project;

    @BeforeAll
    static void push(@TempDir Path work) {
        project = new TestProject(CONTROL_PLANE.gitlab(), "acme/cli");
        project.push(work, """
                one: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                odd: {tags: [actuated-odd, shell], script: "true"}
                cancelled: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                """);
        project.jobs().forEach((name, id) -> CONTROL_PLANE.webhook("cli-" + name, """
                {"object_kind":"build","build_id":%d,"build_status":"pending","project_id":%d}""".formatted(id, project.id())));
        lease("host-1", ControlPlane.CREDENTIAL);
        ControlPlane.await(
                "all jobs are known",
                () -> CONTROL_PLANE.get("/api/v1/jobs").json().path("items").size() == 3);
    }

    private static void lease(String host, String credential) {
        var answer = CONTROL_PLANE.send(
                "POST",
                CONTROL_PLANE.url() + "/agent/v1/lease",
                Map.of("Authorization", "Bearer " + credential, "Content-Type", "application/json"),
                """
                {"hostId":"%s","agentVersion":"1.2","capacity":{"milliCpus":4500,"memoryMib":4096,"diskMib":100000},
                 "arch":"x86_64","driver":"simulated","epoch":0,"inventory":[]}""".formatted(host).getBytes(StandardCharsets.UTF_8));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    }

    private static Mayfly.Ended run(String... arguments) {
        return Mayfly.against(CONTROL_PLANE, arguments);
    }

    private static Mayfly.Ended fine(String... arguments) {
        Mayfly.Ended ended = run(arguments);
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        return ended;
    }

    private static JsonNode json(String... arguments) throws IOException {
        return new ObjectMapper().readTree(fine(arguments).out());
    }

    @Test
    void whyAJobDoesNotRunIsSaid() {
        assertThat(fine("why", String.valueOf(project.job("odd"))).out())
                .startsWith("REFUSED: it is refused: the tag actuated-odd does not parse");
        assertThat(run("why", "999999").err()).contains("no job 999999 is known");
    }

    @Test
    void aHostIsDrainedAndUndrainedByAnOrder() throws IOException {
        Path credential = CONTROL_PLANE.folder().resolve("hosts/host-2");
        Files.writeString(credential, "credential-of-host-2");
        lease("host-2", "credential-of-host-2");
        assertThat(fine("hosts", "drain", "host-2", "--wait").out()).contains("DRAINING", "nothing is left on it");
        assertThat(fine("hosts").out()).contains("DRAINING", "drained: nothing is left on it");
        assertThat(fine("hosts", "undrain", "host-2").out()).contains("READY");
        assertThat(json("hosts", "show", "host-2", "--json").path("drained").asBoolean())
                .isFalse();
        Files.delete(credential);
    }

    @Test
    void aHostIsGivenLabels() {
        assertThat(fine("hosts", "label", "host-1", "gpu", "rack-7").out()).contains("gpu rack-7");
        assertThat(fine("hosts", "unlabel", "host-1", "gpu", "rack-7").out()).doesNotContain("gpu", "rack-7");
        assertThat(run("hosts", "label", "host-1").err()).contains("hosts label needs labels");
        assertThat(run("hosts", "drain", "host-1", "gpu").err()).contains("hosts drain takes no labels: [gpu]");
        assertThat(run("hosts", "label", "host-1", "a b").err()).contains("'a b' is no host's label; write");
    }

    @Test
    void anOrderThatCantBeObeyedSaysWhyAndWhatToDo() {
        assertThat(run("hosts", "drain", "nobody").err()).contains("no host nobody is known");
        assertThat(run("hosts", "drain").err()).contains("hosts drain needs a host");
        assertThat(run("hosts", "show", "host-1", "--wait").err()).contains("--wait goes with drain only");
        assertThat(run("hosts", "forget", "host-1").err()).contains("stop its agent and wait until it is LOST");
        assertThat(run("hosts", "reboot-when-empty", "host-1").err()).contains("upgrade its agent");
    }

    @Test
    void jobsAreListedWithWhyTheyDoNotRun() throws IOException {
        assertThat(fine("jobs").out().lines())
                .hasSize(4)
                .anySatisfy(line -> assertThat(line).startsWith("JOB").contains("STATUS", "NOTE"))
                .anySatisfy(line -> assertThat(line).contains("odd", "does not parse"))
                .anySatisfy(line -> assertThat(line).contains("acme/cli", "one", "1c/1024m"));
        assertThat(json("jobs", "--json").path("items")).hasSize(3);
    }

    @Test
    void jobsAreFilteredAndLimited() throws IOException {
        assertThat(json("jobs", "--json", "--project", "acme/other").path("items"))
                .isEmpty();
        assertThat(json("jobs", "--json", "--status", "running").path("items")).isEmpty();
        JsonNode two = json("jobs", "--json", "--limit", "2");
        assertThat(two.path("items")).hasSize(2);
        assertThat(fine("jobs", "--limit", "2").out()).contains("there are more; raise --limit");
    }

    @Test
    void oneJobIsShownAndCancelled() {
        String id = Long.toString(project.job("cancelled"));
        assertThat(fine("job", id).out())
                .contains("gitlab:gl:", "acme/cli", "actuated-1cpu-1gb, shell", "/-/jobs/" + id);
        fine("job", id, "--cancel");
        assertThat(project.call("GET", "/projects/%d/jobs/%s".formatted(project.id(), id), Map.of())
                        .path("status")
                        .asText())
                .isEqualTo("canceled");
        assertThat(fine("job", "gitlab:gl:%d:%s".formatted(project.id(), id)).out())
                .contains("acme/cli");
    }

    @Test
    void aJobThatIsUnknownIsALineAndExitCode1() {
        Mayfly.Ended ended = run("job", "4711");
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err().lines()).singleElement().asString().contains("no job 4711 is known");
        assertThat(run("job", "no such job").err()).contains("is no job");
    }

    @Test
    void hostsAreListed() throws IOException {
        assertThat(fine("hosts").out()).contains("host-1", "4.5c/4096m", "READY", "simulated", "1.2");
        assertThat(json("hosts", "--json").path("items")).isNotEmpty();
    }

    @Test
    void theSweeperIsShownAndToldToProceed() {
        assertThat(fine("sweep").out()).contains("sweeper: sweeping");
        assertThat(fine("sweep", "--proceed").out()).contains("sweeper: proceeding");
        assertThat(CONTROL_PLANE.logged("told by an operator to proceed")).isNotEmpty();
    }

    @Test
    void theConfigurationTellsAddressAndToken(@TempDir Path folder) throws IOException {
        String text = Files.readString(CONTROL_PLANE.config())
                .replace(
                        "bindHost: 127.0.0.1, port: 0}]\n  admin",
                        "port: %d}]\n  admin".formatted(CONTROL_PLANE.port()));
        Path config = Files.writeString(folder.resolve("api.yml"), text);
        Mayfly.Ended ended = Mayfly.run("hosts", "--config", config.toString());
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(ended.out()).contains("host-1");
    }

    @Test
    void aMissingOrWrongTokenSaysWhereToGiveIt(@TempDir Path folder) throws IOException {
        Path wrong = Files.writeString(folder.resolve("token"), "wrong");
        Mayfly.Ended ended = Mayfly.run("jobs", "--url", CONTROL_PLANE.url(), "--token-file", wrong.toString());
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err().lines()).singleElement().asString().contains("--token-file");
        assertThat(Mayfly.run("jobs", "--url", CONTROL_PLANE.url(), "--token-file", "/no/such")
                        .err())
                .contains("--token-file /no/such can't be read");
    }

    @Test
    void aControlPlaneThatIsAwayIsALine() {
        for (String url :
                List.of("http://127.0.0.1:1", "nonsense", CONTROL_PLANE.gitlab().url())) {
            Mayfly.Ended ended = Mayfly.run(
                    "hosts",
                    "--url",
                    url,
                    "--token-file",
                    CONTROL_PLANE.folder().resolve("api-token").toString());
            assertThat(ended.exitCode()).isEqualTo(1);
            assertThat(ended.err().lines()).singleElement().asString().startsWith("mayfly: " + url);
        }
    }
}
