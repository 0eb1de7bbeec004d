package dev.mayfly.demo.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.mayfly.agent.AgentMain;
import dev.mayfly.api.ApiApplication;
import dev.mayfly.workflows.SearchAttributes;
import jakarta.ws.rs.Path;
import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What README and the guides name (files, commands and their options, REST calls, messages) is there. */
final class GuidesTest {

    private static final Pattern LINK = Pattern.compile("]\\(([^)#]*)(?:#([^)]*))?\\)");
    private static final Pattern PROGRAM =
            Pattern.compile("(?<![\\w/.-])((?:bin|deploy)/[a-z-]+)(?![\\w./-])([^`\\n]*)");
    private static final Pattern OPTION = Pattern.compile("--[a-z][a-z-]*");
    private static final Pattern FILE =
            Pattern.compile("`((?:bin|config|deploy|docs|demo)/[A-Za-z0-9._/-]*|docker-compose\\.yml)`");
    private static final Pattern SEARCH_ATTRIBUTE = Pattern.compile("\\bCi[A-Z][A-Za-z]+");
    private static final Pattern CALL = Pattern.compile("(?:GET|POST|PUT|DELETE) (/api/v1/[A-Za-z/{}-]*)");
    private static final Pattern MESSAGE =
            Pattern.compile("(?m)^\\| `([^`]+)` \\| [^|]*(?:api|agent|GitLab|webhook|refusal)");

    private final Map<String, String> helps = new HashMap<>();

    private static Stream<String> guides() throws IOException {
        try (Stream<java.nio.file.Path> docs = Files.walk(Checkout.path("docs"))) {
            List<String> found = docs.filter(file -> file.toString().endsWith(".md"))
                    .map(file -> Checkout.path("").relativize(file).toString())
                    .toList();
            return Stream.concat(Stream.of("README.md"), found.stream());
        }
    }

    @ParameterizedTest
    @MethodSource("guides")
    void linksLeadSomewhere(String guide) {
        LINK.matcher(Checkout.text(guide)).results().forEach(link -> {
            if (link.group(1).contains("://")) {
                return;
            }
            java.nio.file.Path target = link.group(1).isEmpty()
                    ? Checkout.path(guide)
                    : Checkout.path(guide).resolveSibling(link.group(1)).normalize();
            assertThat(target).exists();
            if (link.group(2) != null) {
                assertThat(anchors(target)).as(link.group()).contains(link.group(2));
            }
        });
    }

    @ParameterizedTest
    @MethodSource("guides")
    void filesThatAreNamedAreThere(String guide) {
        FILE.matcher(Checkout.text(guide))
                .results()
                .forEach(file -> assertThat(Checkout.path(file.group(1))).exists());
    }

    @Test
    void programsAndTheirOptionsAreThere() throws Exception {
        Map<String, Set<String>> used = new HashMap<>();
        for (String guide : guides().toList()) {
            PROGRAM.matcher(Checkout.text(guide))
                    .results()
                    .forEach(program -> used.computeIfAbsent(program.group(1), name -> new TreeSet<>())
                            .add(program.group(2)));
        }
        assertThat(used).containsKeys("bin/demo", "bin/test", "bin/setup", "bin/mayfly", "bin/agent");
        for (Map.Entry<String, Set<String>> program : used.entrySet()) {
            assertThat(Checkout.path(program.getKey())).isExecutable();
            for (String arguments : program.getValue()) {
                String help = help(program.getKey(), arguments);
                OPTION.matcher(arguments)
                        .results()
                        .forEach(option -> assertThat(help)
                                .as("%s%s", program.getKey(), arguments)
                                .containsPattern(option.group() + "(?![a-z-])"));
            }
        }
    }

    @Test
    void restCallsAreThere() {
        Set<String> there = new TreeSet<>();
        for (JavaClass resource : new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.mayfly.api.rest")) {
            if (resource.isAnnotatedWith(Path.class)) {
                String base = resource.getAnnotationOfType(Path.class).value();
                there.add(base);
                resource.getMethods().stream()
                        .filter(method -> method.isAnnotatedWith(Path.class))
                        .forEach(method -> there.add(base + "/"
                                + method.getAnnotationOfType(Path.class).value()));
            }
        }
        List<String> named = CALL.matcher(Checkout.text("docs/OPERATING.md"))
                .results()
                .map(call -> call.group(1).replace("{number}", "{id}"))
                .toList();
        assertThat(named).hasSizeGreaterThan(8);
        assertThat(there).containsAll(named);
    }

    @Test
    void searchAttributesAreThoseOfTheWorkflow() {
        Set<String> named = new TreeSet<>();
        SEARCH_ATTRIBUTE
                .matcher(section("## Looking at it"))
                .results()
                .forEach(attribute -> named.add(attribute.group()));
        assertThat(named)
                .containsExactlyInAnyOrderElementsOf(
                        SearchAttributes.ALL.stream().map(key -> key.getName()).toList());
    }

    @Test
    void messagesAreThoseOfThePrograms() throws Exception {
        StringBuilder sources = new StringBuilder();
        for (String module : List.of("workflows", "activities", "api", "agent-worker")) {
            try (Stream<java.nio.file.Path> files = Files.walk(Checkout.path(module + "/src/main/java"))) {
                for (java.nio.file.Path file :
                        files.filter(Files::isRegularFile).toList()) {
                    sources.append(Files.readString(file));
                }
            }
        }
        String all = sources.toString().replaceAll("\"\\s*\\+\\s*\"", "");
        List<String> messages = MESSAGE.matcher(section("## Messages and cures"))
                .results()
                .map(message -> message.group(1))
                .toList();
        assertThat(messages)
                .hasSizeGreaterThan(25)
                .allSatisfy(message -> assertThat(all).contains(message));
    }

    private static String section(String heading) {
        String guide = Checkout.text("docs/OPERATING.md");
        int start = guide.indexOf("\n" + heading + "\n");
        assertThat(start).as(heading).isPositive();
        return guide.substring(start, guide.indexOf("\n## ", start + 1));
    }

    private static List<String> anchors(java.nio.file.Path guide) {
        try (Stream<String> lines = Files.lines(guide)) {
            return lines.filter(line -> line.startsWith("#"))
                    .map(line -> line.replaceFirst("^#+ ", "")
                            .toLowerCase(java.util.Locale.ROOT)
                            .replaceAll("[^a-z0-9 -]", "")
                            .replace(' ', '-'))
                    .toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** What the program says of itself; scripts without a Java program behind them say it in their text. */
    private String help(String program, String arguments) throws Exception {
        List<String> command = Stream.of(arguments.strip().split("\\s+", -1))
                .takeWhile(word -> word.matches("[a-z]+"))
                .toList();
        return switch (program) {
            case "bin/agent" -> helpOf(AgentMain.class, List.of());
            case "bin/mayfly" -> helpOf(ApiApplication.class, command);
            default -> Checkout.text(program);
        };
    }

    /** Of the command that these words name; fails if there is none. A program is asked once. */
    private String helpOf(Class<?> main, List<String> command) throws Exception {
        String name = main.getName() + command;
        if (!helps.containsKey(name)) {
            String[] asked =
                    Stream.concat(command.stream(), Stream.of("--help")).toArray(String[]::new);
            Checkout.Ended help = Checkout.java(Map.of(), main, asked);
            assertThat(help.exitCode())
                    .as("%s %s", main.getSimpleName(), command)
                    .isZero();
            helps.put(name, help.output());
        }
        return String.valueOf(helps.get(name));
    }
}
