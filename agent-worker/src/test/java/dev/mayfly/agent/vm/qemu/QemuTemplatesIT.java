package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.vm.MicroVm;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clones of real VMs. Needs what {@link QemuMicroVmsIT} does. */
class QemuTemplatesIT {

    private static final int BOOT_SECONDS = 180;

    @TempDir
    Path folder;

    private QemuHost host;

    @BeforeEach
    void machine() throws Exception {
        host = QemuHost.onThisMachine(folder, 2);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (host != null) {
            host.close();
            assertThat(host.leftOvers()).isEmpty();
        }
    }

    @Test
    void theNextVmOfASizeIsACloneAndOutlivesItsAgentToo() throws Exception {
        within(host.driver().start(host.vm(1)).whenAnswers());
        assertThat(arguments(1)).doesNotContain("-incoming");
        awaitTemplate();

        Instant began = Instant.now();
        within(host.driver().start(host.vm(2)).whenAnswers());
        System.out.printf(
                "a clone answered after %d ms%n",
                Duration.between(began, Instant.now()).toMillis());
        assertThat(arguments(2)).contains("-incoming");

        host.restartAgent();
        MicroVm adopted = host.driver().adopt(host.vm(2));
        within(adopted.whenAnswers());
        assertThat(adopted.whenEnds().toCompletableFuture()).isNotDone();
    }

    @Test
    void aTemplateThatIsOfNoUseIsDroppedAndTheVmBootsAllTheSame() throws Exception {
        within(host.driver().start(host.vm(1)).whenAnswers());
        Path template = awaitTemplate();
        try (FileChannel state = FileChannel.open(template.resolve("state"), StandardOpenOption.WRITE)) {
            state.truncate(state.size() / 2);
        }

        within(host.driver().start(host.vm(2)).whenAnswers());

        assertThat(arguments(2)).doesNotContain("-incoming");
        assertThat(template).doesNotExist();
    }

    @Test
    void aTemplateInTheMakingGoesWithTheAgent() throws Exception {
        within(host.driver().start(host.vm(1)).whenAnswers());
        await("a VM is to become a template", () -> Files.exists(Path.of("/run/netns/mayfly-zzt9q-0")));

        host.restartAgent();

        assertThat(host.leftOvers()).as("what is left").isNotEmpty().noneMatch(left -> left.contains("zzt9q-0"));
        assertThat(folder.resolve("templates")).isEmptyDirectory();
    }

    private List<String> arguments(int boot) throws IOException {
        byte[] line = Files.readAllBytes(Path.of("/proc", Long.toString(host.vmmPid(boot)), "cmdline"));
        return List.of(new String(line, java.nio.charset.StandardCharsets.UTF_8).split("\0"));
    }

    private Path awaitTemplate() throws IOException {
        Path templates = folder.resolve("templates");
        await("a template", () -> !all(templates).isEmpty());
        return all(templates).get(0);
    }

    private static List<Path> all(Path folder) throws IOException {
        try (Stream<Path> found = Files.list(folder)) {
            return found.toList();
        }
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(String what, Condition condition) throws IOException {
        Instant deadline = Instant.now().plusSeconds(BOOT_SECONDS);
        while (!condition.holds()) {
            assertThat(Instant.now()).as("waiting until there is %s", what).isBefore(deadline);
            LockSupport.parkNanos(10_000_000);
        }
    }

    private static <T> T within(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(BOOT_SECONDS, TimeUnit.SECONDS);
    }
}
