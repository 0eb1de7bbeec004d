package dev.mayfly.demo.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.AgentConfigFile;
import dev.mayfly.api.ApiApplication;
import dev.mayfly.demo.deployment.Checkout.Ended;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every configuration file of the checkout passes the check of its program, and every secret that it names can be made. */
final class ConfigurationFilesTest {

    private static final Pattern NAMED_FILE = Pattern.compile("(?m)^[^#\\n]*file:(/\\S+)");
    /** As a command has it that is run in compose's container beside the server. */
    private static final Map<String, String> ENVIRONMENT =
            Map.of("GITLAB_URL", "https://gitlab.example.com", "PUBLIC_URL", "https://mayfly.example.com");

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"config/api.yml", "deploy/api.yml"})
    void theControlPlaneAcceptsItsFile(String file) throws Exception {
        Ended check = check(withSecrets(Checkout.text(file)));
        assertThat(check.exitCode()).as(check.output()).isZero();
    }

    @Test
    void theControlPlaneRefusesAFileWithAKeyThatIsNone() throws Exception {
        Ended check = check(withSecrets(Checkout.text("deploy/api.yml") + "\nsealkey: file:/run/secrets/seal-key\n"));
        assertThat(check.exitCode()).isNotZero();
        assertThat(check.output()).contains("sealkey");
    }

    @Test
    void theAgentAcceptsItsFile() throws Exception {
        AgentConfigFile.read(Checkout.path("config/agent.yml"));
    }

    @Test
    void theAgentAcceptsItsFileWithEveryKeyThatIsOnlyShown() throws Exception {
        String all = Checkout.text("config/agent.yml").replaceAll("(?m)^( *)# ( *[A-Za-z]+:)", "$1$2");
        Path file = folder.resolve("agent.yml");
        Files.writeString(file, all);
        assertThat(AgentConfigFile.read(file).timeouts()).isNotNull();
        assertThat(all).contains("\ntimeouts:", "\n  cpus:", "\n    certFile:");
    }

    private Ended check(String text) throws Exception {
        Path file = folder.resolve("api.yml");
        Files.writeString(file, text);
        return Checkout.java(ENVIRONMENT, ApiApplication.class, "check", file.toString());
    }

    /** The file with its secrets in a folder that {@code deploy/make-secrets} has filled. */
    private String withSecrets(String text) throws Exception {
        Path secrets = folder.resolve("secrets");
        Ended made = Checkout.run(
                Map.of(), List.of("deploy/make-secrets", "--into", secrets.toString(), "--host", "host-1"));
        assertThat(made.exitCode()).as(made.output()).isZero();
        NAMED_FILE.matcher(text).results().map(named -> Path.of(named.group(1))).forEach(named -> put(secrets, named));
        return text.replaceAll("(/run/secrets|/etc/mayfly/secrets)/", secrets + "/")
                .replace("/etc/mayfly/hosts", secrets + "/hosts");
    }

    private static void put(Path secrets, Path named) {
        Path file = secrets.resolve(named.getFileName());
        try {
            if (!Files.exists(file)) {
                Files.writeString(file, "brought by the operator");
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
