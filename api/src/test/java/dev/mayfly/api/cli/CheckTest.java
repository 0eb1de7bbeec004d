package dev.mayfly.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.Mayfly;
import dev.mayfly.testkit.PostgresExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code mayfly check} and what {@code mayfly server} says of a file that is wrong. */
final class CheckTest {

    @RegisterExtension
    private static final PostgresExtension POSTGRES = new PostgresExtension();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private Path file(UnaryOperator<String> change) throws IOException {
        return ControlPlane.writeConfig(folder, POSTGRES, "http://127.0.0.1:1", "glpat-x", "127.0.0.1:1", change);
    }

    private static List<String> problems(Path file) {
        Mayfly.Ended ended = Mayfly.run("check", file.toString());
        assertThat(ended.exitCode()).as(ended.err()).isEqualTo(1);
        assertThat(ended.err()).doesNotContain("\tat ", "Exception");
        return ended.err()
                .lines()
                .map(line -> line.replace("mayfly: " + file + ": ", ""))
                .toList();
    }

    @Test
    void aGoodFileIsFine() throws IOException {
        Path file = file(config -> config);
        Mayfly.Ended ended = Mayfly.run("check", file.toString());
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out()).isEqualTo(file + ": fine\n");
        assertThat(ended.exitCode()).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "database:|databse:|databse: unknown key; did you mean database?",
                "sealKey:|sealkey:|sealkey: unknown key; did you mean sealKey?",
                "target:|tagret:|temporal.tagret: unknown key; did you mean target?",
                "token: \"file:|tokn: \"file:|gitlab[0].tokn: unknown key; did you mean token?",
                "webhook: {maxBody|webhook: {colour: blue, maxBody|webhook.colour: unknown key; remove it, the keys here are maxAge, maxBody, watchEvery",
            })
    void aMisspeltKeyIsUnknownAndTheNearestOneIsNamed(String right, String wrong, String line) throws IOException {
        assertThat(problems(file(config -> config.replaceFirst(right.replace("{", "\\{"), wrong))))
                .containsExactly(line);
    }

    @Test
    void aMisspeltKeyOfDropwizardsOwnPartsIsNamedToo() throws IOException {
        assertThat(problems(file(config -> config.replaceFirst("bindHost", "bindHots"))))
                .singleElement()
                .asString()
                .contains("bindHots");
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        assertThat(problems(file(config -> config.replaceAll("sealKey:.*\n", "").replaceAll("user: [^,]*,", ""))))
                .containsExactlyInAnyOrder(
                        "database.user: missing; add it, config/api.yml shows how",
                        "sealKey: missing; add it, config/api.yml shows how");
    }

    @Test
    void everythingIsSaidAtOnce() throws IOException {
        Path file = file(config -> config.replaceFirst("maxBody", "maxBdy")
                .replaceFirst("name: gl", "name: GL")
                .replaceFirst("/api-token", "/no-token")
                .replaceFirst("file:[^\"]*/database", "env:MAYFLY_NO_SUCH_VARIABLE"));
        Files.writeString(folder.resolve("seal-key"), "c2hvcnQ=");
        Files.writeString(folder.resolve("hosts/host-1"), "short");
        assertThat(problems(file))
                .anySatisfy(line -> assertThat(line).isEqualTo("webhook.maxBdy: unknown key; did you mean maxBody?"))
                .anySatisfy(line -> assertThat(line).contains("gitlab[0].name must be 1 to 32"))
                .anySatisfy(line -> assertThat(line).contains("MAYFLY_NO_SUCH_VARIABLE is missing; set that"))
                .anySatisfy(line -> assertThat(line).contains("no-token is missing; create the file"))
                .anySatisfy(line -> assertThat(line).startsWith("sealKey: "))
                .anySatisfy(line -> assertThat(line).contains("host-1", "shorter than 16"))
                .hasSize(6);
    }

    @Test
    void aSecretWrittenIntoTheFileIsRefusedAndNotRepeated() throws IOException {
        assertThat(problems(file(config -> config.replaceFirst("apiToken: .*\n", "apiToken: hunter2-hunter2\n"))))
                .singleElement()
                .asString()
                .contains("apiToken", "must not be written in the configuration")
                .doesNotContain("hunter2");
    }

    @Test
    void aTimeOutThatIsNoneIsNamedWithTheNames() throws IOException {
        assertThat(problems(file(config -> config + "timeouts: {rechek: 1s}\n")))
                .singleElement()
                .asString()
                .contains("rechek is no time-out", "recheck");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{limits: [{instance: gl, path: acme, jobs: 2, cpus: 8.5}], weights: [{instance: gl, weight: 2}]}|",
                "{weights: [{instance: other, weight: 2}]}|placement names a GitLab instance that is not configured",
                "{limits: [{instance: gl, path: acme}]}|limits nothing",
                "{limits: [{instance: gl, jobs: 2}, {instance: gl, cpus: 1}]}|limits the same path twice",
                "{cpuOvercommit: 0.5}|cpuOvercommit",
                "{weights: [{instance: gl, weight: 0}]}|weight",
                "{promoteEvery: 0}|promoteEvery",
                "{spred: true}|did you mean spread?",
            })
    void placementThatCanNotBeMeantIsNamed(String placement, @Nullable String problem) throws IOException {
        Path file = file(config -> config + "placement: " + placement + "\n");
        if (problem == null) {
            assertThat(Mayfly.run("check", file.toString()).err()).isEmpty();
        } else {
            assertThat(problems(file)).singleElement().asString().contains(problem);
        }
    }

    @Test
    void aFileThatIsNotThereOrNoYamlIsNamed() throws IOException {
        assertThat(Mayfly.run("check", "/no/such/file.yml").err())
                .contains("/no/such/file.yml")
                .doesNotContain("\tat ");
        Path broken = Files.writeString(folder.resolve("broken.yml"), "database: {url: [\n");
        assertThat(Mayfly.run("check", broken.toString()).err())
                .contains("broken.yml")
                .doesNotContain("\tat ");
        Path empty = Files.writeString(folder.resolve("empty.yml"), "");
        assertThat(Mayfly.run("check", empty.toString()).err())
                .contains("empty.yml")
                .doesNotContain("\tat ");
    }

    @Test
    void severalFilesAreAllChecked() throws IOException {
        Path good = file(config -> config);
        Mayfly.Ended ended = Mayfly.run("check", "/no/such/file.yml", good.toString());
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.out()).isEqualTo(good + ": fine\n");
        assertThat(ended.err()).contains("/no/such/file.yml");
    }

    @Test
    void theSampleLacksNothingButItsSecrets() {
        Path sample = Path.of(String.valueOf(System.getenv("MAYFLY_ROOT"))).resolve("config/api.yml");
        assertThat(problems(sample))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line)
                        .containsAnyOf("the secret file:/etc/mayfly/", "credentialsDir /etc/mayfly/hosts"));
    }

    @Test
    void withConnectEveryServerThatDoesNotAnswerIsNamed() throws IOException {
        Path file =
                file(config -> config.replaceFirst("url: \"jdbc[^\"]*\"", "url: \"jdbc:postgresql://127.0.0.1:1/x\""));
        Mayfly.Ended ended = Mayfly.run("check", "--connect", file.toString());
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err().lines())
                .hasSize(3)
                .anySatisfy(line ->
                        assertThat(line).contains("PostgreSQL: ", "refused", "start the database or correct database"))
                .anySatisfy(line -> assertThat(line).contains("Temporal: ", "start it at 127.0.0.1:1"))
                .anySatisfy(line -> assertThat(line).contains("GitLab gl: ", "http://127.0.0.1:1 can be reached"));
    }

    @Test
    void theServerSaysTheSameAndEnds() throws IOException {
        Path file = file(config -> config.replaceFirst("maxBody", "maxBdy").replaceFirst("/api-token", "/no-token"));
        Mayfly.Ended ended = Mayfly.run("server", file.toString());
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err().lines()).hasSize(2);
        assertThat(ended.err())
                .contains("did you mean maxBody?", "no-token is missing")
                .doesNotContain("\tat ");
    }

    @Test
    void theServerEndsWithoutPostgresAndNamesTheCure() throws IOException {
        Path away = file(config -> config.replaceFirst(
                "url: \"jdbc[^\"]*\"", "url: \"jdbc:postgresql://127.0.0.1:1/x\", waitAtStart: 1s"));
        Mayfly.Ended ended = Mayfly.run("server", away.toString());
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err().lines())
                .singleElement()
                .asString()
                .contains("PostgreSQL at jdbc:postgresql://127.0.0.1:1/x", "refused", "Check that it runs");
    }

    @Test
    @Timeout(30)
    void theServerDoesNotWaitForADatabaseThatIsNotThere() throws IOException {
        Path wrong = file(config -> config.replaceFirst("/test_[0-9a-f]*\"", "/nowhere\", waitAtStart: 10m"));
        Mayfly.Ended ended = Mayfly.run("server", wrong.toString());
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err().lines()).singleElement().asString().contains("\"nowhere\" does not exist");
    }
}
