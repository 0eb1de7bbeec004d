package dev.mayfly.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.ControlPlane.Answer;
import dev.mayfly.api.TestProject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** REST over HTTP: who may ask, filters and pages, and errors as application/problem+json. */
final class RestTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane();

    private static TestProject project;

    @BeforeAll
    static void push(@TempDir Path work) {
        project = new TestProject(CONTROL_PLANE.gitlab(), "acme/rest");
        project.push(work, """
                one: {tags: [actuated-1cpu, shell], script: "true"}
                two: {tags: [actuated-1cpu, shell], script: "true"}
                three: {tags: [actuated-1cpu, shell], script: "true"}
                odd: {tags: [actuated-odd, shell], script: "true"}
                cancelled: {tags: [actuated-1cpu, shell], script: "true"}
                """);
        project.jobs().forEach((name, id) -> CONTROL_PLANE.webhook("rest-" + name, """
                {"object_kind":"build","build_id":%d,"build_status":"pending","project_id":%d}""".formatted(id, project.id())));
        ControlPlane.await("all jobs are known", () -> list("").size() == 5);
    }

    private static List<String> list(String query) {
        Answer answer = CONTROL_PLANE.get("/api/v1/jobs" + query);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        List<String> names = new ArrayList<>();
        answer.json().path("items").forEach(job -> names.add(job.path("name").asText()));
        return names;
    }

    private static Answer as(String authorization, String path) {
        return CONTROL_PLANE.send(
                "GET", CONTROL_PLANE.url() + path, Map.of("Authorization", authorization), new byte[0]);
    }

    @ParameterizedTest
    @CsvSource({
        "GET,/api/v1/jobs",
        "GET,/api/v1/jobs/1",
        "POST,/api/v1/jobs/1/cancel",
        "GET,/api/v1/hosts",
        "GET,/api/v1/runners",
        "GET,/api/v1/ledger",
        "GET,/api/v1/sweeper",
        "POST,/api/v1/sweeper/proceed"
    })
    void withoutTheTokenNothingIsTold(String method, String path) {
        Answer answer = CONTROL_PLANE.send(method, CONTROL_PLANE.url() + path, Map.of(), new byte[0]);
        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.type()).isEqualTo("application/problem+json");
        assertThat(answer.headers().firstValue("WWW-Authenticate")).hasValue("Bearer realm=\"mayfly\"");
    }

    @Test
    void onlyTheConfiguredTokenIsRight() {
        assertThat(as("Bearer wrong", "/api/v1/jobs").status()).isEqualTo(401);
        assertThat(as("Basic " + ControlPlane.API_TOKEN, "/api/v1/jobs").status())
                .isEqualTo(401);
        assertThat(as("Bearer " + ControlPlane.CREDENTIAL, "/api/v1/jobs").status())
                .isEqualTo(401);
        assertThat(as("Bearer " + ControlPlane.API_TOKEN, "/api/v1/jobs").status())
                .isEqualTo(200);
    }

    @Test
    void healthReadinessAndVersionNeedNoToken() {
        for (String path : List.of("/api/v1/health", "/api/v1/version")) {
            assertThat(CONTROL_PLANE
                            .send("GET", CONTROL_PLANE.url() + path, Map.of(), new byte[0])
                            .status())
                    .isEqualTo(200);
        }
        ControlPlane.await(
                "ready",
                () -> CONTROL_PLANE
                                .send("GET", CONTROL_PLANE.url() + "/api/v1/ready", Map.of(), new byte[0])
                                .status()
                        == 200);
    }

    @Test
    void jobsAreFilteredAndUnknownWordsFindNothing() {
        assertThat(list("?project=acme/rest")).hasSize(5);
        assertThat(list("?project=" + project.id())).hasSize(5);
        assertThat(list("?project=acme/other")).isEmpty();
        assertThat(list("?project=4711")).isEmpty();
        assertThat(list("?status=running")).isEmpty();
        assertThat(list("?instance=other")).isEmpty();
        assertThat(list("?unfinished=true")).doesNotContain("odd").contains("one");
        assertThat(list("?host=nowhere")).isEmpty();
        assertThat(list("?pipeline=4711")).isEmpty();
    }

    @Test
    void pagesFollowEachOtherWithoutGapOrRepetition() {
        List<String> names = new ArrayList<>();
        String query = "?perPage=2";
        int pages = 0;
        while (pages < 10) {
            JsonNode page = CONTROL_PLANE.get("/api/v1/jobs" + query).json();
            page.path("items").forEach(job -> names.add(job.path("name").asText()));
            pages++;
            if (page.path("next").isNull()) {
                break;
            }
            query = "?perPage=2&after=" + page.path("next").asText();
        }
        assertThat(pages).isEqualTo(3);
        assertThat(names).containsExactlyInAnyOrder("one", "two", "three", "odd", "cancelled");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/api/v1/jobs?perPage=0|400|perPage is 0; give 1 to 500",
                "/api/v1/jobs?perPage=501|400|give 1 to 500",
                "/api/v1/jobs?perPage=many|400|perPage",
                "/api/v1/jobs?pipeline=x|400|pipeline",
                "/api/v1/jobs?after=nonsense|400|no cursor",
                "/api/v1/jobs?phase=flying|400|the phases are",
                "/api/v1/jobs/4711|404|no job 4711 is known",
                "/api/v1/jobs/gitlab:gl:1:4711|404|no job gitlab:gl:1:4711",
                "/api/v1/jobs/nonsense|400|'nonsense' is no job",
                "/api/v1/jobs/gitlab:gl:x:y|400|is no job",
                "/api/v1/hosts/nobody|404|no host nobody is known",
                "/api/v1/ledger?since=yesterday|400|how long ago, such as 24h",
                "/api/v1/ledger?since=2026-13-01T00:00:00Z|400|since is '2026-13-01T00:00:00Z'",
                "/api/v1/nothing|404|there is nothing at /api/v1/nothing",
            })
    void errorsAreProblemsThatNameTheThing(String path, int status, String detail) {
        Answer answer = CONTROL_PLANE.get(path);
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.type()).isEqualTo("application/problem+json");
        assertThat(answer.json().path("status").asInt()).isEqualTo(status);
        assertThat(answer.json().path("title").asText()).isNotBlank();
        assertThat(answer.detail()).contains(detail).doesNotContain("Exception");
    }

    @Test
    void aMethodThatIsNoneIs405() {
        Answer answer = CONTROL_PLANE.api("DELETE", "/api/v1/jobs");
        assertThat(answer.status()).isEqualTo(405);
        assertThat(answer.type()).isEqualTo("application/problem+json");
        assertThat(answer.headers().firstValue("Allow")).isPresent();
    }

    @Test
    void oneJobIsShownByItsNumberAndByItsId() {
        long id = project.job("one");
        JsonNode job = CONTROL_PLANE.get("/api/v1/jobs/" + id).json();
        assertThat(job.path("id").asText()).isEqualTo("gitlab:gl:%d:%d".formatted(project.id(), id));
        assertThat(job.path("project").asText()).isEqualTo("acme/rest");
        assertThat(job.path("seenAt").asText()).matches("\\d{4}-.*Z");
        assertThat(job.path("links").path("gitlab").asText()).endsWith("/acme/rest/-/jobs/" + id);
        assertThat(CONTROL_PLANE
                        .get(job.path("links").path("self").asText())
                        .json()
                        .path("jobId")
                        .asLong())
                .isEqualTo(id);
    }

    @Test
    void aJobIsCancelledInGitLab() {
        long id = project.job("cancelled");
        Answer answer = CONTROL_PLANE.api("POST", "/api/v1/jobs/" + id + "/cancel");
        assertThat(answer.status()).isEqualTo(202);
        assertThat(project.call("GET", "/projects/%d/jobs/%d".formatted(project.id(), id), Map.of())
                        .path("status")
                        .asText())
                .isEqualTo("canceled");
        assertThat(CONTROL_PLANE.api("POST", "/api/v1/jobs/" + id + "/cancel").status())
                .as("again")
                .isEqualTo(202);
    }

    @Test
    void noSecretIsInWhatRestTells() {
        for (String path :
                List.of("/api/v1/jobs", "/api/v1/hosts", "/api/v1/runners", "/api/v1/ledger", "/api/v1/ready")) {
            assertThat(CONTROL_PLANE.get(path).body())
                    .doesNotContain(
                            CONTROL_PLANE.gitlab().rootToken(),
                            ControlPlane.WEBHOOK_TOKEN,
                            ControlPlane.API_TOKEN,
                            ControlPlane.CREDENTIAL)
                    .doesNotContain("glrt-");
        }
        assertThat(CONTROL_PLANE.logged(ControlPlane.API_TOKEN)).isEmpty();
    }
}
