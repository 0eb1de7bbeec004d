package dev.mayfly.demo.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** OPERATING.md's table of how a job ends: each row has a test, and each test that is named is one. */
final class EndsTableTest {

    private static final Pattern TEST = Pattern.compile("`([A-Za-z]+(?:IT|Test|\\.rs))(?:\\.|: )([A-Za-z_]+)`");
    private static final int COLUMNS = 5;

    private final List<Path> sources = sources();

    @Test
    void eachRowHasATestThatIsThere() {
        List<String> rows = Checkout.text("docs/OPERATING.md")
                .lines()
                .dropWhile(line -> !line.equals("### How a job ends"))
                .dropWhile(line -> !line.startsWith("| "))
                .takeWhile(line -> line.startsWith("|"))
                .skip(2)
                .toList();
        assertThat(rows).hasSizeGreaterThan(25);
        for (String row : rows) {
            String[] cells = row.substring(2).split(" \\| | \\|$", -1);
            assertThat(cells).as(row).hasSize(COLUMNS + 1);
            List<String> missing = TEST.matcher(cells[COLUMNS - 1])
                    .results()
                    .filter(test -> !isThere(test.group(1), test.group(2)))
                    .map(test -> test.group())
                    .toList();
            assertThat(missing).as(row).isEmpty();
            assertThat(cells[COLUMNS - 1]).as(row).containsPattern(TEST);
        }
    }

    private boolean isThere(String file, String method) {
        String name = file.endsWith(".rs") ? file : file + ".java";
        Pattern declared = Pattern.compile(
                file.endsWith(".rs")
                        ? "#\\[test\\]\\s+fn " + method + "\\("
                        : "Test\\b[^;]*\\s+void " + method + "\\(");
        Optional<Path> found = sources.stream()
                .filter(path -> path.getFileName().toString().equals(name))
                .filter(path -> declared.matcher(read(path)).find())
                .findFirst();
        return found.isPresent();
    }

    private static List<Path> sources() {
        try (Stream<Path> files = Files.walk(Checkout.path(""))) {
            return files.filter(
                            path -> path.toString().matches(".*(?:src/test|native/[a-z-]+/tests|native/[a-z-]+/src).*"))
                    .filter(path -> path.toString().matches(".*\\.(?:java|rs)"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
