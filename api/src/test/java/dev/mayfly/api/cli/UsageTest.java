package dev.mayfly.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.api.Mayfly;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class UsageTest {

    /** The parser writes help and usage to the process's own streams. */
    private static String output(int exitCode, String... arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        PrintStream captured = new PrintStream(both, true, StandardCharsets.UTF_8);
        System.setOut(captured);
        System.setErr(captured);
        try {
            assertThat(Mayfly.run(arguments).exitCode()).isEqualTo(exitCode);
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        return both.toString(StandardCharsets.UTF_8);
    }

    @Test
    void helpListsTheCommands() {
        assertThat(output(0, "--help"))
                .startsWith("usage: mayfly ")
                .contains("server", "check", "jobs", "job", "why", "hosts", "ledger", "sweep", "gitlab")
                .doesNotContain("project.jar", "java -jar");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "server",
                "check",
                "jobs",
                "job",
                "hosts",
                "ledger",
                "sweep",
                "gitlab",
                "gitlab connect",
                "gitlab check",
                "gitlab remove-project",
                "gitlab list"
            })
    void eachCommandHasHelp(String command) {
        assertThat(output(0, (command + " --help").split(" ", -1))).startsWith("usage: mayfly " + command + " ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nonsense", "jobs --nonsense", "server", "job", "jobs --limit 0", "gitlab"})
    void wrongUseIsExplainedAndEndsWith2(String arguments) {
        assertThat(output(2, arguments.isEmpty() ? new String[0] : arguments.split(" ", -1)))
                .contains("usage: mayfly")
                .doesNotContain("\tat ");
    }
}
