package dev.mayfly.agent.claim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.agent.claim.ClaimStore.Progress;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept of a claim is found again whole, and by nobody but the agent. */
class ClaimStoreTest {

    @TempDir
    Path folder;

    private ClaimStore store;

    @BeforeEach
    void open() {
        store = new ClaimStore(folder);
    }

    @Test
    void afterARestartOfTheHostNothingIsStored() throws IOException {
        ClaimStore store = new ClaimStore(folder.resolve("gone"));
        assertThat(store.claim()).isEmpty();
        assertThat(store.givenBack()).isEmpty();
    }

    @Test
    void nothingIsThereAtFirst() throws IOException {
        assertThat(store.claim()).isEmpty();
        assertThat(store.runnerToken()).isEmpty();
        assertThat(store.progress()).isEqualTo(Progress.NONE);
    }

    @Test
    void anotherLifeOfTheAgentFindsAllOfIt() throws IOException {
        Progress progress = Progress.NONE
                .claimedAt(5)
                .committedFor(Executor.SHELL, "ask for a larger tag")
                .withUpdate()
                .withEnd(new Ran(End.FAILED, "the job failed"));
        store.keep(progress);
        store.keep(new RunnerTokenReply(9, "glrt-secret", "gl"));
        store.keepClaim(FakeGitLab.payload(7));
        String nonce = store.nonce();
        ClaimStore again = new ClaimStore(folder);
        assertThat(again.progress()).isEqualTo(progress);
        assertThat(again.runnerToken()).contains(new RunnerTokenReply(9, "glrt-secret", "gl"));
        assertThat(again.claim()).contains(FakeGitLab.payload(7));
        assertThat(again.nonce()).isEqualTo(nonce).matches("[0-9a-f]{32}");
        again.eraseClaim();
        again.eraseRunnerToken();
        assertThat(again.claim()).isEmpty();
        assertThat(again.runnerToken()).isEmpty();
    }

    @Test
    void everyFileIsForItsOwnerAlone() throws IOException {
        store.nonce();
        store.keepClaim(FakeGitLab.payload(7));
        store.keep(new RunnerTokenReply(9, "glrt-secret", "gl"));
        store.keep(Progress.NONE);
        try (var files = Files.list(folder)) {
            assertThat(files)
                    .hasSize(4)
                    .allSatisfy(file -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                            .isEqualTo("rw-------"));
        }
    }

    /** An agent killed at any moment leaves what any reader of that moment would see. */
    @Test
    void whoReadsWhileItIsWrittenSeesTheOldOrTheNew() throws Exception {
        byte[] one = new byte[200_000];
        byte[] other = new byte[100_000];
        Arrays.fill(other, (byte) 1);
        store.keepClaim(one);
        CompletableFuture<Void> writes = CompletableFuture.runAsync(() -> {
            try {
                for (int i = 0; i < 300; i++) {
                    store.keepClaim(i % 2 == 0 ? other : one);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        ClaimStore reader = new ClaimStore(folder);
        while (!writes.isDone()) {
            Optional<byte[]> read = reader.claim();
            assertThat(read.map(bytes -> Arrays.equals(bytes, one) || Arrays.equals(bytes, other)))
                    .contains(true);
        }
        writes.join();
    }

    /** The folder is erased then; what is still under way must leave nothing in it. */
    @Test
    void onceClosedNothingIsWritten() throws IOException {
        store.keepClaim(FakeGitLab.payload(7));
        store.close();
        assertThatThrownBy(() -> store.keep(Progress.NONE)).isInstanceOf(IOException.class);
        assertThatThrownBy(store::nonce).isInstanceOf(IOException.class);
        assertThat(store.claim()).contains(FakeGitLab.payload(7));
        assertThat(folder.toFile().list()).containsExactly("claim.json");
    }

    /** What can't be fetched again is never guessed at. */
    @Test
    void aTornProgressIsAnError() throws IOException {
        Files.writeString(folder.resolve("progress.json"), "{\"claimedAt");
        assertThatThrownBy(store::progress).isInstanceOf(IOException.class);
    }
}
