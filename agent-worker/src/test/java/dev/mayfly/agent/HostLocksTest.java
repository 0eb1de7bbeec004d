package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostLocksTest {

    @TempDir
    Path folder;

    private final List<String> problems = new ArrayList<>();

    private AgentConfig agent(String state, String pool, String uids) {
        return TestConfig.named(folder, state, pool, uids, "");
    }

    @Test
    void agentsWithTheirOwnEverythingRunSideBySide() throws Exception {
        try (HostLocks one = HostLocks.take(agent("a", "10.1.0.0/24", "200000-200099"), problems);
                HostLocks other = HostLocks.take(agent("b", "10.1.1.0/24", "200100-200199"), problems)) {
            assertThat(one).isNotNull();
            assertThat(other).isNotNull();
        }
        assertThat(problems).isEmpty();
    }

    @Test
    void aSecondAgentWithTheSameStateIsRefusedAlsoByAnotherPathOrLockFolder() throws Exception {
        Files.createDirectories(folder.resolve("a"));
        Files.createSymbolicLink(folder.resolve("link"), folder.resolve("a"));
        try (HostLocks one = HostLocks.take(agent("a", "10.1.0.0/24", "200000-200099"), problems)) {
            assertThat(one).isNotNull();
            AgentConfig other = TestConfig.named(folder, "link", "10.1.1.0/24", "200100-200199", "driver: simulated");
            AgentConfig elsewhere = AgentConfigFile.parse("agent.yml", """
                    stateDir: %1$s/a
                    runDir: %1$s/run2
                    lockDir: %1$s/locks2
                    controlPlane: {url: "http://127.0.0.1:1"}
                    temporal: {target: "127.0.0.1:1"}
                    """.formatted(folder));
            assertThat(HostLocks.take(other, problems)).isNull();
            assertThat(HostLocks.take(elsewhere, problems)).isNull();
        }
        assertThat(problems)
                .hasSize(2)
                .allMatch(problem -> problem.equals(
                        "an agent already runs with stateDir %s/a (process %d); end it, or give this one another stateDir"
                                .formatted(real(), ProcessHandle.current().pid())));
    }

    private Path real() {
        try {
            return folder.toRealPath();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void everyClashWithAnotherAgentIsToldAtOnce() throws Exception {
        try (HostLocks one = HostLocks.take(agent("a", "10.1.0.0/24", "200000-200099"), problems)) {
            assertThat(one).isNotNull();
            assertThat(HostLocks.take(agent("b", "10.1.0.0/16", "200099-200200"), problems))
                    .isNull();
        }
        assertThat(problems)
                .containsExactly(
                        "addressPool 10.1.0.0/16 overlaps 10.1.0.0/24 of the agent with stateDir %s/a; choose another"
                                .formatted(real()),
                        "uidRange overlaps 200000-200099 of the agent with stateDir %s/a; choose another"
                                .formatted(real()));
        try (HostLocks again = HostLocks.take(agent("b", "10.1.0.0/16", "200099-200200"), new ArrayList<>())) {
            assertThat(again).as("once the first has ended").isNotNull();
        }
    }

    @Test
    void theLockIsThatOfTheProcessAndGoesWithIt() throws Exception {
        Process holder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Holder.class.getName(),
                        folder.toString())
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(holder.inputReader().lines().filter("held"::equals).findFirst())
                    .isPresent();
            assertThat(HostLocks.take(agent("a", "10.1.0.0/24", "200000-200099"), problems))
                    .isNull();
            assertThat(problems).singleElement().asString().contains("(process %d)".formatted(holder.pid()));
        } finally {
            holder.destroyForcibly().waitFor();
        }
        try (HostLocks next = HostLocks.take(agent("a", "10.1.0.0/24", "200000-200099"), new ArrayList<>())) {
            assertThat(next).isNotNull();
        }
    }

    /** Another agent's process. */
    static final class Holder {

        private Holder() {}

        public static void main(String[] args) throws Exception {
            AgentConfig config = TestConfig.named(Path.of(args[0]), "a", "10.1.0.0/24", "200000-200099", "");
            try (HostLocks held = HostLocks.take(config, new ArrayList<>())) {
                System.out.println(held == null ? "refused" : "held");
                Thread.currentThread().join();
            }
        }
    }
}
