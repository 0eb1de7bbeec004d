package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.CommandLine.Verb;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {

    @Test
    void withoutArgumentsItExplainsItself() {
        CommandLine line = CommandLine.parse();
        assertThat(line.verb()).isEqualTo(Verb.WRONG);
        assertThat(line.problem()).isEqualTo("say what to do");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "-h", "help", "run --help", "check --help", "reclaim --yes --help"})
    void helpIsGivenEverywhereAndNothingElseIsDone(String arguments) {
        assertThat(CommandLine.parse(arguments.split(" ")).verb()).isEqualTo(Verb.HELP);
    }

    @Test
    void aConfigurationAloneRuns() {
        CommandLine line = CommandLine.parse("--config", "a.yml");
        assertThat(line.verb()).isEqualTo(Verb.RUN);
        assertThat(line.config()).isEqualTo(Path.of("a.yml"));
    }

    @Test
    void reclaimRemovesOnlyIfToldSo() {
        assertThat(CommandLine.parse("reclaim", "--config", "a.yml").sure()).isFalse();
        assertThat(CommandLine.parse("reclaim", "--dry-run").sure()).isFalse();
        assertThat(CommandLine.parse("reclaim", "--yes").sure()).isTrue();
        assertThat(CommandLine.parse("reclaim", "--yes").decommission()).isFalse();
        assertThat(CommandLine.parse("reclaim", "--decommission").decommission())
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "run --yes, --yes goes with reclaim alone",
        "check --decommission, --decommission goes with reclaim alone",
        "reclaim --yes --dry-run, --yes and --dry-run exclude each other",
        "run --config, --config needs a file",
        "start, unknown argument 'start'"
    })
    void aWrongLineSaysWhatIsWrong(String arguments, String problem) {
        CommandLine line = CommandLine.parse(arguments.split(" "));
        assertThat(line.verb()).isEqualTo(Verb.WRONG);
        assertThat(line.problem()).isEqualTo(problem);
    }
}
