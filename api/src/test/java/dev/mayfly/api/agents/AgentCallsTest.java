package dev.mayfly.api.agents;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.ControlPlane.Answer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Agents' calls over HTTP: whose they are, and what malformed ones lead to. */
final class AgentCallsTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane();

    private static final String LEASE = """
            {"hostId":"%s","agentVersion":"1","capacity":{"milliCpus":4000,"memoryMib":4096,"diskMib":100000},
             "arch":"x86_64","driver":"simulated","epoch":0,"inventory":[],"unknown":{"field":1}}""";

    private static Answer call(String path, String credential, String body) {
        return CONTROL_PLANE.agent(path, credential, body);
    }

    @Test
    void aHostRenewsItsLeaseAndLearnsTheInstallation() {
        Answer answer = call("/agent/v1/lease", ControlPlane.CREDENTIAL, LEASE.formatted("host-1"));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().path("installation").asText()).matches("[a-z0-9]{5}");
        assertThat(answer.json().path("instances").path(0).path("name").asText())
                .isEqualTo("gl");
        assertThat(answer.body()).doesNotContain(CONTROL_PLANE.gitlab().rootToken(), ControlPlane.WEBHOOK_TOKEN);
        String now = "\"epoch\":" + answer.json().path("epoch").asLong();
        String again = LEASE.formatted("host-1").replace("\"epoch\":0", now);
        assertThat(call("/agent/v1/lease", ControlPlane.CREDENTIAL, again).status())
                .isEqualTo(200);
        assertThat(CONTROL_PLANE
                        .get("/api/v1/hosts/host-1")
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("READY");
    }

    @Test
    void aMissingOrUnknownCredentialIs401() {
        assertThat(call("/agent/v1/lease", "nobody's-credential", LEASE.formatted("host-1"))
                        .status())
                .isEqualTo(401);
        Answer none = CONTROL_PLANE.send(
                "POST",
                CONTROL_PLANE.url() + "/agent/v1/lease",
                Map.of("Content-Type", "application/json"),
                LEASE.formatted("host-1").getBytes(StandardCharsets.UTF_8));
        assertThat(none.status()).isEqualTo(401);
        assertThat(none.type()).isEqualTo("application/problem+json");
        assertThat(call("/agent/v1/lease", ControlPlane.API_TOKEN, LEASE.formatted("host-1"))
                        .status())
                .isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/agent/v1/lease", "/agent/v1/runner-token", "/agent/v1/claims"})
    void anotherHostsNameIs403BeforeTheRestIsLookedAt(String path) {
        Answer answer = call(path, ControlPlane.CREDENTIAL, "{\"hostId\":\"host-2\",\"capacity\":\"nonsense\"}");
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.detail()).contains("of host host-1").doesNotContain("nonsense");
    }

    @Test
    void aHostCannotSpeakForAnotherByNamingItTwice() {
        String twice = LEASE.formatted("host-1").replaceFirst("\\{", "{\"hostId\":\"host-2\",");
        assertThat(call("/agent/v1/lease", ControlPlane.CREDENTIAL, twice).status())
                .isEqualTo(200);
        String other = LEASE.formatted("host-1").replace("\"inventory\":[]", "\"inventory\":[],\"hostId\":\"host-2\"");
        assertThat(call("/agent/v1/lease", ControlPlane.CREDENTIAL, other).status())
                .isEqualTo(403);
        assertThat(CONTROL_PLANE.get("/api/v1/hosts/host-2").status()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "nonsense",
                "{}",
                "{\"hostId\":7}",
                "{\"hostId\":\"host-1\"",
                "{\"hostId\":\"host-1\"}",
                "{\"hostId\":\"host-1\",\"inventory\":[]}",
                "{\"hostId\":\"host-1\",\"figures\":{\"loadAverage\":-1}}",
                "{\"hostId\":\"host-1\",\"figures\":{\"loadAverage\":\"NaN\"}}",
                "{\"hostId\":\"host-1\",\"agentVersion\":\"1\",\"arch\":\"x86_64\",\"driver\":\"y\",\"inventory\":[],"
                        + "\"capacity\":{\"milliCpus\":-1,\"memoryMib\":1,\"diskMib\":1}}",
                "{\"hostId\":\"host-1\",\"agentVersion\":\"1\",\"arch\":\"x86_64\",\"driver\":\"y\",\"inventory\":[],"
                        + "\"capacity\":{\"milliCpus\":1000,\"memoryMib\":0,\"diskMib\":1}}",
                "{\"hostId\":\"host-1\",\"agentVersion\":\"1\",\"arch\":\"x\",\"driver\":\"y\",\"inventory\":[],"
                        + "\"capacity\":{\"milliCpus\":1000,\"memoryMib\":1,\"diskMib\":1}}"
            })
    void aMalformedLeaseIs400AndSaysWhy(String body) {
        Answer answer = call("/agent/v1/lease", ControlPlane.CREDENTIAL, body);
        assertThat(answer.status()).as(answer.body()).isEqualTo(400);
        assertThat(answer.detail()).isNotBlank().doesNotContain("Exception");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/agent/v1/runner-token", "/agent/v1/claims"})
    void aRequestWithoutItsFieldsIs400(String path) {
        assertThat(call(path, ControlPlane.CREDENTIAL, "{\"hostId\":\"host-1\"}")
                        .status())
                .isEqualTo(400);
    }

    @Test
    void theRunnerTokenOfASlotThatIsNotTheHostsIs409() {
        Answer answer = call(
                "/agent/v1/runner-token",
                ControlPlane.CREDENTIAL,
                "{\"hostId\":\"host-1\",\"slotId\":\"abcde-1\",\"epoch\":1,\"nonce\":\"00\"}");
        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.detail()).contains("abcde-1", "no slot of host host-1");
    }

    @Test
    void aClaimOfAJobThatGitLabDoesNotKnowIsVoid() {
        Answer answer = call(
                "/agent/v1/claims",
                ControlPlane.CREDENTIAL,
                "{\"hostId\":\"host-1\",\"slotId\":\"abcde-1\",\"epoch\":1,\"projectId\":7,\"jobId\":8,\"jobToken\":\"t\"}");
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().path("verdict").asText()).isEqualTo("void");
    }

    @Test
    void aCredentialCountsFromWhenItIsPutThereUntilItIsTakenAway() throws IOException {
        assertThat(call("/agent/v1/lease", "credential-of-host-3", LEASE.formatted("host-3"))
                        .status())
                .isEqualTo(401);
        Files.writeString(CONTROL_PLANE.folder().resolve("hosts/host-3"), "credential-of-host-3");
        assertThat(call("/agent/v1/lease", "credential-of-host-3", LEASE.formatted("host-3"))
                        .status())
                .isEqualTo(200);
        Files.delete(CONTROL_PLANE.folder().resolve("hosts/host-3"));
        assertThat(call("/agent/v1/lease", "credential-of-host-3", LEASE.formatted("host-3"))
                        .status())
                .isEqualTo(401);
    }
}
