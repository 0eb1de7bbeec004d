package dev.mayfly.agent.claim;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;
import static java.nio.file.attribute.PosixFilePermissions.asFileAttribute;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a slot's broker must find again after the agent was killed: runner token, GitLab's answer, how far the job has
 * come, jobs to be given back. Lives on tmpfs in the slot's secret folder, every file 0600 and replaced in one step, so
 * a reader sees the old or the new one. Survives an agent's restart; not the host's, as the VM doesn't either.
 */
final class ClaimStore {

    private static final Logger LOG = LoggerFactory.getLogger(ClaimStore.class);
    private static final Set<PosixFilePermission> OWNER_ALONE = PosixFilePermissions.fromString("rw-------");
    private static final String NONCE = "runner-nonce";
    private static final String TOKEN = "runner-token.json";
    private static final String INSTANCE = "instance.json";
    private static final String CLAIM = "claim.json";
    private static final String GIVEN_BACK = "given-back-%s.json";
    private static final String PROGRESS = "progress.json";

    private final ObjectMapper json = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();
    private final SecureRandom random = new SecureRandom();
    private final Path folder;
    private boolean closed;

    ClaimStore(Path folder) {
        this.folder = folder;
    }

    /**
     * How far a slot's claim has come.
     *
     * @param claimedAtMillis when the claim was stored
     * @param committed whether the control plane recorded the claim and GitLab took {@code running}
     * @param executor with which the runner is started; null unless committed
     * @param memoryAdvice how the job gets more memory, null if unknown; known once committed
     * @param updated whether the job's first PUT or PATCH has passed to GitLab
     * @param ended how the job ended, null if it has not
     * @param refused whether the control plane refused this slot: it must never ask GitLab again
     */
    record Progress(
            long claimedAtMillis,
            boolean committed,
            @Nullable Executor executor,
            @Nullable String memoryAdvice,
            boolean updated,
            @Nullable Ran ended,
            boolean refused) {

        static final Progress NONE = new Progress(0, false, null, null, false, null, false);

        Progress claimedAt(long millis) {
            return new Progress(millis, false, null, null, false, null, false);
        }

        Progress committedFor(Executor by, @Nullable String advice) {
            return new Progress(claimedAtMillis, true, by, advice, updated, ended, refused);
        }

        Progress withUpdate() {
            return new Progress(claimedAtMillis, committed, executor, memoryAdvice, true, ended, refused);
        }

        Progress withEnd(Ran end) {
            return new Progress(claimedAtMillis, committed, executor, memoryAdvice, updated, end, refused);
        }

        Progress withRefusal() {
            return new Progress(claimedAtMillis, committed, executor, memoryAdvice, updated, ended, true);
        }
    }

    /** The nonce of this slot's token request: made and stored at the first call, the same ever after. */
    String nonce() throws IOException {
        Path file = folder.resolve(NONCE);
        if (Files.exists(file)) {
            return Files.readString(file, StandardCharsets.US_ASCII);
        }
        byte[] bytes = new byte[16];
        random.nextBytes(bytes);
        String nonce = HexFormat.of().formatHex(bytes);
        write(NONCE, nonce.getBytes(StandardCharsets.US_ASCII));
        return nonce;
    }

    Optional<RunnerTokenReply> runnerToken() throws IOException {
        return readAgain(TOKEN, RunnerTokenReply.class);
    }

    void keep(RunnerTokenReply token) throws IOException {
        write(TOKEN, json.writeValueAsBytes(token));
    }

    /** GitLab refuses it: the control plane may have another by now. */
    void eraseRunnerToken() throws IOException {
        Files.deleteIfExists(folder.resolve(TOKEN));
    }

    /** The slot's GitLab as it was last known, for a restart while the control plane is away. */
    Optional<GitLabInstance> instance() throws IOException {
        return readAgain(INSTANCE, GitLabInstance.class);
    }

    void keep(GitLabInstance instance) throws IOException {
        write(INSTANCE, json.writeValueAsBytes(instance));
    }

    /** GitLab's answer, byte for byte. */
    Optional<byte[]> claim() throws IOException {
        Path file = folder.resolve(CLAIM);
        return Files.exists(file) ? Optional.of(Files.readAllBytes(file)) : Optional.empty();
    }

    void keepClaim(byte[] payload) throws IOException {
        write(CLAIM, payload);
    }

    void eraseClaim() throws IOException {
        Files.deleteIfExists(folder.resolve(CLAIM));
    }

    /** Jobs that GitLab has not been told of yet that they are given back, as it handed them out. */
    List<byte[]> givenBack() throws IOException {
        List<byte[]> found = new ArrayList<>();
        if (!Files.isDirectory(folder)) { // the host was restarted, and its tmpfs with it
            return found;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, GIVEN_BACK.formatted("*"))) {
            for (Path file : files) {
                found.add(Files.readAllBytes(file));
            }
        }
        return found;
    }

    void keepGivenBack(long jobId, byte[] payload) throws IOException {
        write(GIVEN_BACK.formatted(jobId), payload);
    }

    void eraseGivenBack(long jobId) throws IOException {
        Files.deleteIfExists(folder.resolve(GIVEN_BACK.formatted(jobId)));
    }

    Progress progress() throws IOException {
        return read(PROGRESS, Progress.class).orElse(Progress.NONE);
    }

    void keep(Progress progress) throws IOException {
        write(PROGRESS, json.writeValueAsBytes(progress));
    }

    /** Nothing is written any more: the slot's folder may be erased from now on. */
    synchronized void close() {
        closed = true;
    }

    private <T> Optional<T> read(String name, Class<T> type) throws IOException {
        Path file = folder.resolve(name);
        return Files.exists(file) ? Optional.of(json.readValue(file.toFile(), type)) : Optional.empty();
    }

    /** Of what can be fetched again, a file that can't be understood is as good as none. */
    private <T> Optional<T> readAgain(String name, Class<T> type) throws IOException {
        try {
            return read(name, type);
        } catch (JsonProcessingException e) {
            // Jackson's message would quote the file, which may hold a secret.
            LOG.warn("{} can't be understood: it is fetched again", folder.resolve(name));
            return Optional.empty();
        }
    }

    /** Also called by the relay's threads, for the instance. */
    private synchronized void write(String name, byte[] content) throws IOException {
        if (closed) {
            throw new IOException(folder + " is written to no more: its slot has ended");
        }
        Path fresh = folder.resolve(name + ".new");
        Files.deleteIfExists(fresh);
        try (FileChannel channel = FileChannel.open(fresh, Set.of(CREATE_NEW, WRITE), asFileAttribute(OWNER_ALONE))) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true); // costs nothing on tmpfs, and the folder may be elsewhere
        }
        Files.move(fresh, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        DurableFiles.sync(folder);
    }
}
