package dev.mayfly.api.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.ControlPlane.Answer;
import dev.mayfly.api.Mayfly;
import dev.mayfly.api.TestProject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The ledger over HTTP, of one job on one host that never answers: what lives, whose it is, and what differs. */
final class LedgerTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane();

    private static TestProject project;
    private static String slotId = "";

    @BeforeAll
    static void oneJobHoldsASlot(@TempDir Path work) {
        assertThat(lease(0, "").status()).isEqualTo(200);
        project = new TestProject(CONTROL_PLANE.gitlab(), "acme/ledger");
        project.push(work, """
                one: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                """);
        CONTROL_PLANE.webhook("ledger", """
                {"object_kind":"build","build_id":%d,"build_status":"pending","project_id":%d}""".formatted(project.job("one"), project.id()));
        ControlPlane.await("the job has a slot and its runner", () -> live("runner") == 1);
        slotId = ledger("").path("live").get(0).path("slotId").asText();
    }

    private static Answer lease(long epoch, String inventory) {
        return CONTROL_PLANE.agent("/agent/v1/lease", ControlPlane.CREDENTIAL, """
                {"hostId":"host-1","agentVersion":"1","capacity":{"milliCpus":4000,"memoryMib":4096,"diskMib":100000},
                 "arch":"x86_64","driver":"qemu","epoch":%d,"inventory":[%s],"image":"0123456789abcdef"}""".formatted(epoch, inventory));
    }

    private static String said(String slot, int boots) {
        return """
                {"slotId":"%s","epoch":1,"state":"ready","bootNumber":%d}""".formatted(slot, boots);
    }

    private static JsonNode ledger(String query) {
        Answer answer = CONTROL_PLANE.get("/api/v1/ledger" + query);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return answer.json();
    }

    private static long live(String kind) {
        for (JsonNode count : ledger("").path("kinds")) {
            if (count.path("kind").asText().equals(kind)) {
                return count.path("live").asLong();
            }
        }
        throw new AssertionError("no kind " + kind);
    }

    private static List<String> differences() {
        List<String> found = new ArrayList<>();
        ledger("")
                .path("differences")
                .forEach(difference -> found.add(difference.path("source").asText() + ": "
                        + difference.path("what").asText()));
        return found;
    }

    @Test
    void whatLivesIsToldWithWhoseItIs() {
        lease(1, said(slotId, 1));

        for (String kind : List.of("reservation", "holding", "runner", "runner-token", "vm", "disk", "cgroup")) {
            assertThat(live(kind)).as(kind).isEqualTo(1);
        }
        String job = "gitlab:gl:%d:%d".formatted(project.id(), project.job("one"));
        assertThat(ledger("").path("live")).allSatisfy(entry -> {
            assertThat(entry.path("slotId").asText()).isEqualTo(slotId);
            assertThat(entry.path("jobKey").asText()).isEqualTo(job);
            assertThat(entry.path("owner").asText()).isEqualTo(job);
            assertThat(entry.path("hostId").asText()).isEqualTo("host-1");
        });
        assertThat(differences()).isEmpty();
        assertThat(ledger("").path("unknown")).isEmpty();
    }

    @Test
    void aJobTellsWhoRunsItWhere() {
        lease(1, said(slotId, 1));
        JsonNode job = CONTROL_PLANE.get("/api/v1/jobs/" + project.job("one")).json();

        assertThat(job.path("name").asText()).isEqualTo("one");
        assertThat(job.path("executor").asText()).isEqualTo("SHELL");
        assertThat(job.path("image").asText()).isEqualTo("0123456789abcdef");
        assertThat(job.path("runnerId").asLong()).isPositive();
        assertThat(job.path("slots")).singleElement().satisfies(slot -> {
            assertThat(slot.path("slotId").asText()).isEqualTo(slotId);
            assertThat(slot.path("from").asText()).matches("\\d{4}-.*Z");
            assertThat(slot.path("until").isNull()).isTrue();
            assertThat(slot.path("vms").asInt()).isEqualTo(1);
        });
    }

    @Test
    void sinceCountsFromThenOn() {
        JsonNode hour = ledger("?since=1h");
        assertThat(hour.path("since").asText()).matches("\\d{4}-.*Z");
        assertThat(hour.path("kinds").get(0).path("created").asLong()).isEqualTo(1);
        JsonNode later = ledger("?since=2126-01-01T00:00:00Z").path("kinds").get(0);
        assertThat(later.path("before").asLong()).isEqualTo(1);
        assertThat(later.path("created").asLong()).isZero();
        assertThat(later.path("live").asLong()).isEqualTo(1);
    }

    @Test
    void whatAHostHasThatNobodyKnowsIsADifference() {
        lease(1, said(slotId, 1) + "," + said("abcde-7", 1));
        assertThat(differences()).containsExactly("host host-1: it still has abcde-7 (ready), which is unknown");
        assertThat(mayfly("ledger").out())
                .contains("DIFFERENCE: host host-1: it still has abcde-7 (ready), which is unknown");

        lease(1, said(slotId, 1));
        assertThat(differences()).isEmpty();
    }

    @Test
    void aRunnerThatOnlyGitLabHasIsADifference() {
        long id = project.createRunner("mayfly %s-999".formatted(slotId.substring(0, 5)));
        assertThat(differences())
                .containsExactly("GitLab gl: runner %d of slot %s-999 is there, and the ledger has none"
                        .formatted(id, slotId.substring(0, 5)));

        project.call("DELETE", "/runners/" + id, Map.of());
        assertThat(differences()).isEmpty();
    }

    @Test
    void moreBootsThanAnySlotEverHasAreRefused() {
        assertThat(lease(1, said(slotId, 1_000_000)).status()).isEqualTo(400);
    }

    @Test
    void theCommandShowsIt() {
        lease(1, said(slotId, 1));
        Mayfly.Ended shown = mayfly("ledger");
        assertThat(shown.out().lines().toList())
                .anySatisfy(line -> assertThat(line).matches("KIND +CREATED +DESTROYED +LIVE"))
                .anySatisfy(line -> assertThat(line).matches("reservation +1 +0 +1"))
                .anySatisfy(line -> assertThat(line).matches("vm +" + slotId + " +host-1 +gitlab:gl:.*"));
        assertThat(mayfly("ledger", "--since", "2h").out()).contains("BEFORE");
        assertThat(mayfly("ledger", "--json").out()).contains("\"differences\" : [ ]");
        assertThat(mayfly("ledger", "--since", "nonsense").err()).contains("such as 24h");
        assertThat(mayfly("job", Long.toString(project.job("one"))).out())
                .containsPattern("image +0123456789abcdef")
                .containsPattern("runner +\\d+");
    }

    private static Mayfly.Ended mayfly(String... arguments) {
        return Mayfly.against(CONTROL_PLANE, arguments);
    }
}
