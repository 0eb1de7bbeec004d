package dev.mayfly.api.agents;

import dev.mayfly.api.config.AgentsConfig;
import dev.mayfly.api.config.ConfigurationProblem;
import dev.mayfly.api.config.SecretRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which host a bearer credential belongs to. Keeps digests only, and compares with every one of them so that the time
 * taken tells nothing. A file put into the credentials folder, or taken out of it, counts from the next call on.
 */
public final class HostCredentials {

    private static final Logger LOG = LoggerFactory.getLogger(HostCredentials.class);
    private static final int SHORTEST = 16;

    private final AgentsConfig config;
    private volatile Loaded loaded;

    private record Loaded(
            Map<String, byte[]> digests, @Nullable FileTime folderTime) {}

    /**
     * Reads all credentials.
     *
     * @throws ConfigurationProblem if one is missing, too short, or two hosts have the same
     */
    public HostCredentials(AgentsConfig config) {
        this.config = config;
        this.loaded = load(config);
    }

    /** The host that this credential is of, null if of none. */
    public @Nullable String hostOf(String credential) {
        if (folderChanged()) {
            try {
                loaded = load(config);
            } catch (ConfigurationProblem e) {
                LOG.warn("the hosts' credentials can't be read again, the old ones stay: {}", e.getMessage());
            }
        }
        return find(loaded, digest(credential));
    }

    private static @Nullable String find(Loaded loaded, byte[] digest) {
        String found = null;
        for (Map.Entry<String, byte[]> entry : loaded.digests().entrySet()) {
            if (MessageDigest.isEqual(entry.getValue(), digest)) {
                found = entry.getKey();
            }
        }
        return found;
    }

    private boolean folderChanged() {
        FileTime before = loaded.folderTime();
        return before != null && config.credentialsDir() != null && !before.equals(timeOf(config.credentialsDir()));
    }

    private static Loaded load(AgentsConfig config) {
        Map<String, byte[]> digests = new HashMap<>();
        config.hosts().forEach(host -> add(digests, host.hostId(), host.credential()));
        if (config.credentialsDir() == null) {
            return new Loaded(digests, null);
        }
        FileTime time = timeOf(config.credentialsDir());
        for (Path file : files(config.credentialsDir())) {
            add(digests, file.getFileName().toString(), SecretRef.parse("file:" + file));
        }
        return new Loaded(digests, time);
    }

    private static void add(Map<String, byte[]> digests, String hostId, SecretRef credential) {
        String text = credential.read();
        if (text.length() < SHORTEST) {
            throw new ConfigurationProblem(
                    "the credential of host %s (%s) is shorter than %d characters; make one with `openssl rand -hex 32`"
                            .formatted(hostId, credential, SHORTEST));
        }
        byte[] digest = digest(text);
        digests.forEach((other, known) -> {
            if (MessageDigest.isEqual(known, digest) && !other.equals(hostId)) {
                throw new ConfigurationProblem(
                        "hosts %s and %s have the same credential; give each its own".formatted(other, hostId));
            }
        });
        digests.put(hostId, digest);
    }

    private static List<Path> files(String folder) {
        try (Stream<Path> files = Files.list(Path.of(folder))) {
            return files.filter(file -> Files.isRegularFile(file)
                            && !file.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new ConfigurationProblem(
                    "agents.credentialsDir %s can't be read; create the folder".formatted(folder), e);
        }
    }

    private static FileTime timeOf(String folder) {
        try {
            return Files.getLastModifiedTime(Path.of(folder));
        } catch (IOException e) {
            return FileTime.fromMillis(0);
        }
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
