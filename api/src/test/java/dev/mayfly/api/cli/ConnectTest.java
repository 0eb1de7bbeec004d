package dev.mayfly.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.Mayfly;
import dev.mayfly.api.TestProject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** {@code mayfly gitlab} against the simulated GitLab. */
final class ConnectTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane();

    private static final AtomicInteger PROJECTS = new AtomicInteger();
    private static final String PIPELINE = "one: {tags: [actuated-1cpu-1gb, shell], script: \"true\"}\n";

    @SuppressWarnings("NullAway.Init")
    private TestProject project;

    @BeforeEach
    void create() {
        project = new TestProject(CONTROL_PLANE.gitlab(), "acme/connect-" + PROJECTS.incrementAndGet());
    }

    private Mayfly.Ended connect(Path config, String... more) {
        return gitlab("connect", config, more);
    }

    private Mayfly.Ended gitlab(String command, Path config, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "gitlab",
                command,
                "--config",
                config.toString(),
                "--project",
                project.path(),
                "--url",
                CONTROL_PLANE.url()));
        arguments.addAll(List.of(more));
        Mayfly.Ended ended = Mayfly.run(arguments.toArray(String[]::new));
        assertThat(ended.out() + ended.err())
                .doesNotContain(
                        ControlPlane.WEBHOOK_TOKEN,
                        ControlPlane.SIGNING_TOKEN,
                        CONTROL_PLANE.gitlab().rootToken(),
                        "\tat ");
        return ended;
    }

    private Mayfly.Ended connect(String... more) {
        return connect(CONTROL_PLANE.config(), more);
    }

    private JsonNode hooks() {
        return project.call("GET", "/projects/%d/hooks".formatted(project.id()), Map.of());
    }

    @Test
    void aProjectWithoutAWebhookGetsOneThatWorks(@TempDir Path work) {
        project.push(work, PIPELINE);
        Mayfly.Ended ended = connect();
        assertThat(ended.err()).isEmpty();
        assertThat(ended.exitCode()).isZero();
        assertThat(ended.out()).contains("added", "GitLab delivered a job event, and it was taken");
        assertThat(hooks()).hasSize(1);
        JsonNode hook = hooks().get(0);
        assertThat(hook.path("url").asText()).isEqualTo(CONTROL_PLANE.url() + "/webhooks/gitlab/gl");
        assertThat(hook.path("job_events").asBoolean()).isTrue();
        assertThat(hook.path("pipeline_events").asBoolean()).isTrue();
        assertThat(hook.path("push_events").asBoolean()).isFalse();
        assertThat(hook.path("enable_ssl_verification").asBoolean()).isTrue();
        assertThat(hook.path("token_present").asBoolean()).isTrue();
        assertThat(hook.path("signing_token_present").asBoolean()).isTrue();
        ControlPlane.await(
                "the tested job is known",
                () -> CONTROL_PLANE.get("/api/v1/jobs/" + project.job("one")).status() == 200);
    }

    @Test
    void aSecondTimeChangesNothing() {
        assertThat(connect().exitCode()).isZero();
        Mayfly.Ended again = connect();
        assertThat(again.exitCode()).isZero();
        assertThat(again.out()).contains("was as it should be", "not tested: the project has no job yet");
        assertThat(hooks()).hasSize(1);
    }

    @Test
    void aWebhookThatDeviatesIsCorrected(@TempDir Path work) {
        project.push(work, PIPELINE);
        project.call(
                "POST",
                "/projects/%d/hooks".formatted(project.id()),
                Map.of(
                        "url",
                        CONTROL_PLANE.url() + "/webhooks/gitlab/gl",
                        "token",
                        "an-old-token",
                        "enable_ssl_verification",
                        false));
        Mayfly.Ended ended = connect();
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(ended.out())
                .contains(
                        "corrected",
                        "job events are off",
                        "SSL verification is off",
                        "it has no signing token",
                        "it was taken");
        assertThat(hooks()).hasSize(1);
        assertThat(hooks().get(0).path("job_events").asBoolean()).isTrue();
    }

    @Test
    void othersWebhooksAreLeftAlone() {
        project.call("POST", "/projects/%d/hooks".formatted(project.id()), Map.of("url", "https://chat.example/hook"));
        assertThat(connect().exitCode()).isZero();
        assertThat(hooks()).hasSize(2);
        assertThat(hooks().toString()).contains("https://chat.example/hook");
    }

    @Test
    void aDryRunChangesNothing() {
        Mayfly.Ended ended = connect("--dry-run");
        assertThat(ended.exitCode()).isZero();
        assertThat(ended.out()).contains("would add a webhook to " + CONTROL_PLANE.url() + "/webhooks/gitlab/gl");
        assertThat(hooks()).isEmpty();
    }

    @Test
    void aCheckFindsWhatIsNotAsItShouldBeAndChangesNothing() {
        Mayfly.Ended before = gitlab("check", CONTROL_PLANE.config());
        assertThat(before.exitCode()).isEqualTo(1);
        assertThat(before.err()).contains(project.path() + " has no webhook to", "run mayfly gitlab connect");
        assertThat(hooks()).isEmpty();

        connect();
        Mayfly.Ended after = gitlab("check", CONTROL_PLANE.config());
        assertThat(after.exitCode()).as(after.err()).isZero();
        assertThat(after.out()).contains("role", "is as it should be");

        long hook = hooks().get(0).path("id").asLong();
        project.call("PUT", "/projects/%d/hooks/%d".formatted(project.id(), hook), Map.of("job_events", false));
        assertThat(gitlab("check", CONTROL_PLANE.config()).err()).contains("job events are off");
        assertThat(hooks().get(0).path("job_events").asBoolean()).isFalse();
    }

    @Test
    void aRemovedProjectKeepsOnlyOthersWebhooks() {
        project.call("POST", "/projects/%d/hooks".formatted(project.id()), Map.of("url", "https://chat.example/hook"));
        connect();
        assertThat(gitlab("remove-project", CONTROL_PLANE.config(), "--dry-run").out())
                .contains("would be removed");
        assertThat(hooks()).hasSize(2);
        assertThat(gitlab("remove-project", CONTROL_PLANE.config()).out()).contains("removed");
        assertThat(hooks()).hasSize(1);
        assertThat(hooks().get(0).path("url").asText()).isEqualTo("https://chat.example/hook");
        assertThat(gitlab("remove-project", CONTROL_PLANE.config()).out()).contains("has no webhook to");
    }

    @Test
    void projectsAreListedWithHowTheyAreConnected() {
        connect();
        var other = new TestProject(CONTROL_PLANE.gitlab(), "acme/connect-" + PROJECTS.incrementAndGet());
        Mayfly.Ended ended = Mayfly.run(
                "gitlab", "list", "--config", CONTROL_PLANE.config().toString(), "--url", CONTROL_PLANE.url());
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(ended.out())
                .contains("gl %s: connected".formatted(project.path()), "gl %s: not connected".formatted(other.path()));
    }

    @Test
    void aProjectThatIsNotShownIsNamed() {
        Mayfly.Ended ended = Mayfly.run(
                "gitlab",
                "connect",
                "--config",
                CONTROL_PLANE.config().toString(),
                "--project",
                "acme/nowhere",
                "--url",
                CONTROL_PLANE.url());
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err().lines())
                .singleElement()
                .asString()
                .contains("shows no project acme/nowhere", "Maintainer");
    }

    @Test
    void anAccessTokenWithTooLittleScopeOrRoleIsNamed(@TempDir Path folder) throws IOException {
        assertThat(connect(withToken(folder, List.of("read_api"), 40)).err())
                .contains("the scopes [read_api]; make one with the scope api");
        assertThat(hooks()).isEmpty();
        Mayfly.Ended developer = connect(withToken(folder, List.of("api"), 30));
        assertThat(developer.exitCode()).isEqualTo(1);
        assertThat(developer.err()).contains("make it a Maintainer");
    }

    @Test
    void anAccessTokenThatIsNoneIsNamed(@TempDir Path folder) throws IOException {
        Path file = ControlPlane.writeConfig(
                folder,
                CONTROL_PLANE.postgres(),
                CONTROL_PLANE.gitlab().url(),
                "glpat-wrong",
                "127.0.0.1:1",
                config -> config);
        assertThat(connect(file).err()).contains("401", "the access token is wrong, expired or revoked");
    }

    @Test
    void aGitLabThatIsAwayIsNamed(@TempDir Path folder) throws IOException {
        Path file = ControlPlane.writeConfig(
                folder, CONTROL_PLANE.postgres(), "http://127.0.0.1:1", "glpat-x", "127.0.0.1:1", config -> config);
        assertThat(connect(file).err().lines())
                .singleElement()
                .asString()
                .contains("no answer; can the control plane reach GitLab");
    }

    @Test
    void anAddressThatGitLabCannotReachIsFoundByItsTest(@TempDir Path work) {
        project.push(work, PIPELINE);
        Mayfly.Ended ended = connect("--url", "http://127.0.0.1:1");
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err()).contains("could not deliver a job event to http://127.0.0.1:1/webhooks/gitlab/gl");
    }

    @Test
    void withoutAnAddressTheCureIsNamed() {
        Mayfly.Ended ended = Mayfly.run(
                "gitlab", "connect", "--config", CONTROL_PLANE.config().toString(), "--project", project.path());
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err()).contains("publicUrl", "--url");
    }

    private Path withToken(Path folder, List<String> scopes, int accessLevel) throws IOException {
        var answer = CONTROL_PLANE.send(
                "POST",
                CONTROL_PLANE.gitlab().adminUrl() + "/tokens",
                Map.of("PRIVATE-TOKEN", CONTROL_PLANE.gitlab().rootToken(), "Content-Type", "application/json"),
                new com.fasterxml.jackson.databind.ObjectMapper()
                        .writeValueAsBytes(Map.of("username", "bot", "scopes", scopes, "access_level", accessLevel)));
        String token = answer.json().path("token").asText();
        Path own = Files.createTempDirectory(folder, "config");
        return ControlPlane.writeConfig(
                own, CONTROL_PLANE.postgres(), CONTROL_PLANE.gitlab().url(), token, "127.0.0.1:1", config -> config);
    }
}
