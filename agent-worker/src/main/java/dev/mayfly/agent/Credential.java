package dev.mayfly.agent;

import dev.mayfly.agent.AgentConfig.ControlPlaneConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/** Where this host's credential comes from: a file, or the environment. */
final class Credential {

    static final String VARIABLE = "MAYFLY_AGENT_CREDENTIAL";

    private static final Set<PosixFilePermission> OPEN_TO_OTHERS =
            Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE);

    private Credential() {}

    /**
     * The credential, a secret.
     *
     * @throws IOException if there is none; the message names the cure
     */
    static String read(ControlPlaneConfig config, Map<String, String> environment) throws IOException {
        Path file = config.credentialFile();
        if (file == null) {
            String value = environment.getOrDefault(VARIABLE, "").strip();
            if (value.isEmpty()) {
                throw new IOException(
                        "this host has no credential; name its file by controlPlane.credentialFile or set " + VARIABLE);
            }
            return value;
        }
        String value;
        try {
            value = Files.readString(file).strip();
        } catch (IOException e) {
            throw new IOException(
                    "controlPlane.credentialFile %s can't be read (%s); put this host's credential there, mode 0600"
                            .formatted(file, e.getClass().getSimpleName()),
                    e);
        }
        if (value.isEmpty()) {
            throw new IOException(
                    "controlPlane.credentialFile %s is empty; put this host's credential there".formatted(file));
        }
        Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
        if (!Collections.disjoint(mode, OPEN_TO_OTHERS)) {
            throw new IOException("controlPlane.credentialFile %s is open to others (%s); chmod 600 it"
                    .formatted(file, PosixFilePermissions.toString(mode)));
        }
        return value;
    }
}
