package dev.mayfly.demo.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.demo.deployment.Checkout.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The agent's unit and {@code deploy/install-agent}: what one names, the other puts there. */
final class AgentInstallationTest {

    private static final String UNIT = "deploy/mayfly-agent.service";

    @TempDir
    Path folder;

    private Path built;
    private Path host;

    /** A checkout that looks built. */
    @BeforeEach
    void lookBuilt() throws Exception {
        built = folder.resolve("checkout");
        host = folder.resolve("host");
        for (String file : List.of("bin/agent", "config/agent.yml", UNIT, "deploy/install-agent")) {
            copy(Checkout.path(file), built.resolve(file));
        }
        write(built.resolve("agent-worker/target/classes/a.class"), "class");
        write(built.resolve("agent-worker/target/lib/a.jar"), "jar");
        write(built.resolve("native/mayfly-guard"), "guard").toFile().setExecutable(true);
        write(built.resolve("image/manifest.json"), "{}");
        write(
                built.resolve("target/setup.env"),
                "export MAYFLY_NATIVE='%1$s/native'\nexport MAYFLY_IMAGE='%1$s/image'\n".formatted(built));
    }

    @Test
    void vmsOutliveTheAgent() {
        assertThat(directives("Service"))
                .containsEntry("KillMode", "process")
                .containsEntry("Delegate", "yes")
                .containsEntry("RuntimeDirectoryPreserve", "yes");
    }

    @Test
    void theAgentIsTriedAgainForEver() {
        assertThat(directives("Service")).containsEntry("Restart", "always");
        assertThat(directives("Unit")).containsEntry("StartLimitIntervalSec", "0");
    }

    @Test
    void nothingGivesTheAgentMountsOfItsOwn() {
        assertThat(directives("Service").keySet())
                .noneMatch(key -> key.startsWith("Private")
                        || key.startsWith("Protect")
                        || key.matches("(ReadOnly|ReadWrite|Inaccessible|Bind|BindReadOnly|Exec|NoExec)Paths")
                        || key.matches(
                                "MountFlags|MountAPIVFS|RootDirectory|RootImage|TemporaryFileSystem|DynamicUser"));
    }

    @Test
    void systemdKnowsEveryDirective() throws Exception {
        assumeThat(Path.of("/usr/bin/systemd-analyze")).exists();
        Path unit = write(
                folder.resolve("mayfly-agent.service"),
                Checkout.text(UNIT).replaceFirst("ExecStart=\\S+", "ExecStart=/bin/true"));
        Ended verified = Checkout.run(Map.of(), List.of("systemd-analyze", "verify", unit.toString()));
        assertThat(verified.output()).doesNotContain("mayfly-agent.service");
        assertThat(verified.exitCode()).isZero();
    }

    @Test
    void theFoldersOfTheUnitAreThoseOfTheConfiguration() {
        JsonNode config = Checkout.yaml("config/agent.yml");
        assertThat(config.path("runDir").asText())
                .isEqualTo("/run/" + directives("Service").get("RuntimeDirectory"));
        assertThat(config.path("stateDir").asText())
                .isEqualTo("/var/lib/" + directives("Service").get("StateDirectory"));
    }

    @Test
    void whatTheUnitAndTheConfigurationNameIsInstalled() throws Exception {
        install();
        String[] start = String.valueOf(directives("Service").get("ExecStart")).split(" ", -1);
        assertThat(host.resolve(start[0].substring(1))).isExecutable();
        assertThat(start).containsSequence("--config", "/etc/mayfly/agent.yml");
        assertThat(host.resolve("etc/mayfly/agent.yml")).hasSameTextualContentAs(Checkout.path("config/agent.yml"));
        assertThat(host.resolve("etc/systemd/system/mayfly-agent.service"))
                .hasSameTextualContentAs(Checkout.path(UNIT));
        JsonNode config = Checkout.yaml("config/agent.yml");
        assertThat(host.resolve(config.path("image").asText().substring(1)).resolve("manifest.json"))
                .exists();
        assertThat(host.resolve(config.path("nativeDir").asText().substring(1)).resolve("mayfly-guard"))
                .isExecutable();
        assertThat(host.resolve("etc/sysctl.d/90-mayfly.conf")).content().contains("net.ipv4.ip_forward = 1");
        assertThat(host.resolve("etc/modules-load.d/mayfly.conf")).content().contains("tun");
    }

    @Test
    void theInstalledProgramFindsItsClasses() throws Exception {
        install();
        Ended help = Checkout.run(
                Map.of(), List.of(host.resolve("usr/lib/mayfly/bin/agent").toString(), "--help"));
        assertThat(help.output()).doesNotContain("not built yet").contains("AgentMain");
    }

    @Test
    void anUnknownFormatOfItsLogIsNamed() throws Exception {
        install();
        Ended refused = Checkout.run(
                Map.of("MAYFLY_LOG_FORMAT", "xml"),
                List.of(host.resolve("usr/lib/mayfly/bin/agent").toString(), "--help"));
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.output()).contains("MAYFLY_LOG_FORMAT is 'xml'; choose text or json");
    }

    @Test
    void anUpgradeKeepsTheConfigurationAndTheFilesThatVmsHaveOpen() throws Exception {
        install();
        write(host.resolve("etc/mayfly/agent.yml"), "mine");
        try (var open = Files.newInputStream(host.resolve("usr/lib/mayfly/image/manifest.json"))) {
            write(built.resolve("image/manifest.json"), "{\"new\": true}");
            install();
            assertThat(new String(open.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
                    .isEqualTo("{}");
        }
        assertThat(host.resolve("usr/lib/mayfly/image/manifest.json")).hasContent("{\"new\": true}");
        assertThat(host.resolve("etc/mayfly/agent.yml")).hasContent("mine");
        try (var left = Files.list(host.resolve("usr/lib"))) {
            assertThat(left.map(Path::getFileName).map(Path::toString)).containsExactly("mayfly");
        }
    }

    @Test
    void aCheckoutThatIsNotBuiltIsRefusedWithTheCure() throws Exception {
        Files.delete(built.resolve("target/setup.env"));
        Ended refused = installed();
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.output()).contains("run bin/setup first");
        assertThat(host).doesNotExist();
    }

    private void install() throws Exception {
        Ended ended = installed();
        assertThat(ended.exitCode()).as(ended.output()).isZero();
    }

    private Ended installed() throws Exception {
        return Checkout.run(
                Map.of(), List.of(built.resolve("deploy/install-agent").toString(), "--into", host.toString()));
    }

    private static void copy(Path from, Path to) throws Exception {
        Files.createDirectories(to.getParent());
        Files.copy(from, to, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
    }

    private static Path write(Path file, String text) throws Exception {
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private static Map<String, String> directives(String section) {
        return Checkout.text(UNIT)
                .lines()
                .dropWhile(line -> !line.equals("[" + section + "]"))
                .skip(1)
                .takeWhile(line -> !line.startsWith("["))
                .filter(line -> line.contains("=") && !line.startsWith("#"))
                .map(line -> line.split("=", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    }
}
