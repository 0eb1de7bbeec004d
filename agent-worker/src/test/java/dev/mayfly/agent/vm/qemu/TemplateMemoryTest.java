package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.agent.process.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** With a script in the guard's place. */
@Timeout(30)
class TemplateMemoryTest {

    @TempDir
    Path folder;

    private Path guard;
    private TemplateMemory memory;

    @BeforeEach
    void host() throws IOException {
        guard = folder.resolve("guard");
        guardIs("echo /proc/$$/fd/3; cat > /dev/null");
        memory = new TemplateMemory(guard, new Commands(Duration.ofSeconds(10)));
    }

    @AfterEach
    void end() {
        memory.close();
    }

    private void guardIs(String body) throws IOException {
        Files.writeString(guard, "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(guard, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Template template(String name) throws IOException {
        Template template = new Template(Files.createDirectories(folder.resolve(name)));
        Path fresh = Files.writeString(folder.resolve("fresh"), name);
        Files.move(fresh, template.ram(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        return template;
    }

    private static ProcessHandle holder(Path file) {
        return ProcessHandle.of(Long.parseLong(file.getName(1).toString())).orElseThrow();
    }

    private static void awaitEnd(ProcessHandle process) {
        Instant deadline = Instant.now().plusSeconds(10);
        while (process.isAlive()) {
            assertThat(Instant.now()).as("waiting for the holder's end").isBefore(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void eachTemplateIsHeldOnce() throws Exception {
        Path one = memory.of(template("one"));
        assertThat(memory.of(new Template(folder.resolve("one")))).isEqualTo(one);
        assertThat(memory.of(template("two"))).isNotEqualTo(one);
        assertThat(holder(one).isAlive()).isTrue();
    }

    @Test
    void aTemplateMadeAnewInTheSamePlaceIsHeldAnew() throws Exception {
        Path old = memory.of(template("one"));
        ProcessHandle holder = holder(old);
        assertThat(memory.of(template("one"))).isNotEqualTo(old);
        awaitEnd(holder);
    }

    @Test
    void aHolderThatDiedIsReplaced() throws Exception {
        Template template = template("one");
        Path old = memory.of(template);
        ProcessHandle holder = holder(old);
        holder.destroyForcibly();
        awaitEnd(holder);
        assertThat(memory.of(template)).isNotEqualTo(old);
    }

    @Test
    void whatCantBeHeldIsToldInTheHoldersWords() throws Exception {
        guardIs("echo 'no memory left' >&2; exit 1");
        Template template = template("one");
        assertThatThrownBy(() -> memory.of(template))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no memory left");
    }

    @Test
    void holdersEndWithTheAgent() throws Exception {
        ProcessHandle holder = holder(memory.of(template("one")));
        memory.close();
        awaitEnd(holder);
    }
}
