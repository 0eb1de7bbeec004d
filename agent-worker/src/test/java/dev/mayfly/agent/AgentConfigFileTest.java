package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mayfly.agent.AgentConfig.AcceleratorMode;
import dev.mayfly.agent.AgentConfig.Driver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AgentConfigFileTest {

    private static final String LEAST = """
            stateDir: /var/lib/mayfly
            runDir: /run/mayfly
            controlPlane: {url: "https://mayfly.example.com:8443"}
            temporal: {target: "temporal.example.com:7233"}
            """;

    private static List<String> problemsOf(String yaml) {
        AgentConfigFile.Invalid invalid =
                catchThrowableOfType(AgentConfigFile.Invalid.class, () -> AgentConfigFile.parse("agent.yml", yaml));
        return invalid == null ? List.of() : invalid.problems();
    }

    /** The test's working folder is the module's. */
    private static Path shipped() {
        return Path.of("..", "config", "agent.yml");
    }

    @Test
    void theShippedFileIsValidAndShowsTheDefaults() throws Exception {
        AgentConfig shipped = AgentConfigFile.read(shipped());
        AgentConfig least = AgentConfigFile.parse("agent.yml", LEAST);
        assertThat(shipped.addressPool()).isEqualTo(least.addressPool());
        assertThat(shipped.timeouts()).isEqualTo(least.timeouts());
        assertThat(shipped.capacity()).isEqualTo(least.capacity());
    }

    @Test
    void everyCommentedKeyOfTheShippedFileIsAKeyAndItsValueTheDefault() throws Exception {
        String all = java.nio.file.Files.readString(shipped())
                .replaceAll("(?m)^# (?=[A-Z])", "## ")
                .replaceAll("(?m)^( *)# (?=\\s*[a-zA-Z]+:)", "$1")
                .replaceAll("(?m)^#   (?=[a-z]+[a-zA-Z]*:)", "  ");
        AgentConfig spelled = AgentConfigFile.parse("agent.yml", all);
        AgentConfig least = AgentConfigFile.parse("agent.yml", LEAST);
        assertThat(spelled.timeouts()).isEqualTo(least.timeouts());
        assertThat(spelled.uidRange()).isEqualTo(least.uidRange());
        assertThat(spelled.egress()).isEqualTo(least.egress());
        assertThat(spelled.guest()).isEqualTo(least.guest());
        assertThat(spelled.relayPort()).isEqualTo(least.relayPort());
        assertThat(spelled.temporal().tls()).as("tls").isNotNull();
        assertThat(spelled.capacity().cpus()).as("cpus").isNotNull();
    }

    @Test
    void whatIsLeftOutHasItsDefault() throws Exception {
        AgentConfig config = AgentConfigFile.parse("agent.yml", LEAST + "capacity:\ntimeouts: {agentGone: 5m}\n");
        assertThat(config.driver()).isEqualTo(Driver.QEMU);
        assertThat(config.accelerator()).isEqualTo(AcceleratorMode.AUTO);
        assertThat(config.capacity().diskFloorMib())
                .as("a section without keys")
                .isEqualTo(1024);
        assertThat(config.timeouts().agentGone()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.timeouts().vmTimeToLive()).isEqualTo(Duration.ofHours(25));
        assertThat(config.uidRange().size()).isEqualTo(16_384);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://mayfly.example.com:8080",
                "http://localhost.example.com",
                "http://127.0.0.1.example.com",
                "http://10.0.0.1",
                "ftp://localhost",
                "https://"
            })
    void theCredentialNeverTravelsInTheClear(String url) {
        assertThat(problemsOf(withUrl(url)))
                .anyMatch(problem -> problem.contains("'controlPlane.url' can't be \"" + url + "\""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"https://mayfly.example.com", "http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]"})
    void theCredentialMayStayOnThisMachine(String url) throws Exception {
        assertThat(AgentConfigFile.parse("agent.yml", withUrl(url))
                        .controlPlane()
                        .url())
                .isEqualTo(url);
    }

    private static String withUrl(String url) {
        return """
                stateDir: /var/lib/mayfly
                runDir: /run/mayfly
                controlPlane: {url: "%s"}
                temporal: {target: "temporal.example.com:7233"}
                """.formatted(url);
    }

    @Test
    void allThatIsWrongIsToldAtOnce() {
        List<String> problems = problemsOf("""
                statedir: /var/lib/mayfly
                runDir: /run/mayfly
                controlPlane: {url: mayfly.example.com}
                temporal: {target: temporal.example.com}
                relayPort: 99999
                driver: xen
                capacity: {cpus: many}
                timeouts: {agentGone: soon, vmTimeToLive: 500ms}
                uidRange: 10-20
                egress: {allow: [registry.example.com]}
                guest: {resolvers: [dns.example.com]}
                addressPool: 10.200.0.1/16
                """);
        assertThat(problems)
                .containsExactlyInAnyOrder(
                        "agent.yml: unknown key 'statedir'; did you mean 'stateDir'?",
                        "agent.yml: 'stateDir' is missing; write a path such as /var/lib/mayfly",
                        "agent.yml: 'controlPlane.url' can't be \"mayfly.example.com\"; write an https URL such as"
                                + " https://mayfly.example.com:8443; plain http, which shows everybody this host's"
                                + " credential, is for this machine itself only",
                        "agent.yml: 'temporal.target' can't be \"temporal.example.com\"; write host:port, such as"
                                + " temporal.example.com:7233",
                        "agent.yml: 'relayPort' can't be 99999; write a port of 1 to 65535",
                        "agent.yml: 'driver' can't be \"xen\"; write one of qemu, simulated",
                        "agent.yml: 'capacity.cpus' can't be \"many\"; write a number such as 4 or 0.5",
                        "agent.yml: 'timeouts.agentGone' can't be \"soon\"; write a duration such as 90s, 5m or 24h",
                        "agent.yml: 'timeouts.vmTimeToLive' can't be \"500ms\"; write a duration of at least 1s",
                        "agent.yml: 'uidRange' can't be \"10-20\"; write <first>-<last> with a first of at least 1000,"
                                + " such as 200000-216383",
                        "agent.yml: 'egress.allow' can't be [\"registry.example.com\"]; write host:port each, such as"
                                + " [registry.example.com:443]",
                        "agent.yml: 'guest.resolvers' can't be [\"dns.example.com\"]; write IPv4 addresses, such as"
                                + " [192.0.2.53]",
                        "agent.yml: 'addressPool' can't be \"10.200.0.1/16\"; write an IPv4 network of 8 to 29 bits"
                                + " with no host bits set, such as 10.200.0.0/16");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "adressPool: 10.0.0.0/8       | unknown key 'adressPool'; did you mean 'addressPool'?",
                "diskFloorMib: 5              | unknown key 'diskFloorMib'; it belongs at 'capacity.diskFloorMib'",
                "timeouts: {agentGoneAfter: 5s} | unknown key 'timeouts.agentGoneAfter'; did you mean"
                        + " 'timeouts.agentGone'?",
                "timeouts: {zzzzzzzzz: 5s}    | unknown key 'timeouts.zzzzzzzzz'; known here: vmTimeToLive, agentGone,"
                        + " kvmProbe, tombstones",
                "capacity: 4                  | 'capacity' must hold keys of its own, such as cpus: ...",
                "capacity: {cpus: -1}         | 'capacity.cpus' can't be -1; write more than 0",
                "capacity: {memoryMib: 1.5}   | 'capacity.memoryMib' can't be 1.5; write a whole number",
                "capacity: {diskFloorMib: null} | 'capacity.diskFloorMib' is missing; write a whole number",
                "hostId: host 1               | 'hostId' can't be \"host 1\"; write 1 to 63 letters, digits, dots,"
                        + " hyphens and underscores, such as host-1",
                "timeouts: {tombstones: 99999999999999h} | 'timeouts.tombstones' can't be \"99999999999999h\"; write a"
                        + " duration such as 90s, 5m or 24h",
                "labels: ['a b']               | 'labels' can't be [\"a b\"]; write letters, digits, '.', '_' and '-',"
                        + " such as [gpu, rack-7]",
                "egress: {allow: x}           | 'egress.allow' can't be \"x\"; write a list such as [a, b]",
                "uidRange: 300000             | 'uidRange' can't be 300000; write <first>-<last> with a first of at"
                        + " least 1000, such as 200000-216383",
                "image: [a]                   | 'image' can't be [\"a\"]; write a path such as /var/lib/mayfly"
            })
    void aBadKeyIsNamedWithItsCure(String line, String problem) {
        assertThat(problemsOf(LEAST + line + "\n")).containsExactly("agent.yml: " + problem);
    }

    @Test
    void aSecretInTheWrongPlaceIsNotRepeated() {
        List<String> problems = problemsOf(LEAST.replace("8443\"}", "8443\", credential: s3cret}"));
        assertThat(problems)
                .containsExactly(
                        "agent.yml: unknown key 'controlPlane.credential'; did you mean 'controlPlane.credentialFile'?");
    }

    @Test
    void whatIsNoYamlIsToldWithItsLine() {
        assertThat(problemsOf(LEAST + "driver: [qemu\n"))
                .singleElement()
                .asString()
                .startsWith("agent.yml: it is no YAML: ")
                .contains("line");
        assertThat(problemsOf(LEAST + "driver: qemu\ndriver: simulated\n"))
                .singleElement()
                .asString()
                .contains("driver");
        assertThat(problemsOf("")).singleElement().asString().contains("empty");
        assertThat(problemsOf("- a\n")).singleElement().asString().contains("no mapping");
    }

    @Test
    void aFileThatIsNotThereIsNamedWithItsOption() {
        AgentConfigFile.Invalid invalid = catchThrowableOfType(
                AgentConfigFile.Invalid.class, () -> AgentConfigFile.read(Path.of("/nowhere/agent.yml")));
        assertThat(invalid.problems())
                .singleElement()
                .asString()
                .contains("/nowhere/agent.yml")
                .contains("--config");
    }

    @Test
    void distanceCountsInsertionsDeletionsAndChanges() {
        assertThat(ConfigKeys.distance("", "abc")).isEqualTo(3);
        assertThat(ConfigKeys.distance("adresspool", "addresspool")).isEqualTo(1);
        assertThat(ConfigKeys.distance("kitten", "sitting")).isEqualTo(3);
    }
}
