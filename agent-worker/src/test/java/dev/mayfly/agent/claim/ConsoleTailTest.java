package dev.mayfly.agent.claim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What of a VM's console may show in the job's log. */
class ConsoleTailTest {

    private static final List<String> SECRETS = List.of("hunter-two-and-more", "hunter-two");

    @Test
    void escapesAndControlCharactersAreStripped() {
        assertThat(ConsoleTail.of(List.of("\u001b[31mred\u001b[0m\u0007\r", "\u001b]0;title\u0007x\ty"), List.of()))
                .containsExactly("red", "x\ty");
    }

    @Test
    void aSecretIsMaskedAlsoWhereAnEscapeTearsItApart() {
        assertThat(ConsoleTail.of(List.of("a hunter-two b", "hun\u001b[1mter-two", "hunter-two-and-more"), SECRETS))
                .containsExactly("a [MASKED] b", "[MASKED]", "[MASKED]");
    }

    @Test
    void noMoreThanTheLastLinesAndTheFirstIsNotOneThatMayBeCut() {
        List<String> console =
                IntStream.range(0, 51).mapToObj(line -> "line " + line).toList();
        assertThat(ConsoleTail.of(console, List.of())).hasSize(50).first().isEqualTo("line 1");
    }

    @Test
    void aLongLineIsCut() {
        assertThat(ConsoleTail.of(List.of("x".repeat(5000)), List.of()).get(0)).hasSize(1001);
    }
}
