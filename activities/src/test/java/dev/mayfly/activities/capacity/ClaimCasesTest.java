package dev.mayfly.activities.capacity;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of cases in the Javadoc of {@link Holdings#claimed} names every test of a claim, and only such as exist. */
class ClaimCasesTest {

    private static final Pattern TEST = Pattern.compile("<td>\\{@code (Claim\\w*Test\\.\\w+)}</td>");

    /** Of a slot that holds a claim, not of a claim that comes. */
    private static final String NOT_A_CASE = "ClaimTest.aClaimedSlotCantBeGivenUp";

    @Test
    void theTableNamesTheTestsThatThereAre() throws IOException {
        String source = Files.readString(Path.of("src/main/java/dev/mayfly/activities/capacity/Holdings.java"));
        List<String> named =
                TEST.matcher(source).results().map(row -> row.group(1)).toList();
        List<String> existing = Stream.of(ClaimTest.class, ClaimRefusedTest.class)
                .flatMap(type -> Arrays.stream(type.getDeclaredMethods())
                        .filter(method -> method.isAnnotationPresent(Test.class))
                        .map(Method::getName)
                        .map(name -> type.getSimpleName() + "." + name))
                .filter(name -> !name.equals(NOT_A_CASE))
                .toList();

        assertThat(named).doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(existing);
    }
}
