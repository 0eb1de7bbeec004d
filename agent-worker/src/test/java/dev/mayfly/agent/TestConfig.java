package dev.mayfly.agent;

import java.nio.file.Path;

/** {@code agent.yml} of a test's own host. */
final class TestConfig {

    private TestConfig() {}

    /** Everything below {@code folder}; {@code more} is added. */
    static AgentConfig in(Path folder, String more) {
        return named(folder, "state", "10.231.4.0/24", "291000-291049", more);
    }

    static AgentConfig named(Path folder, String state, String pool, String uids, String more) {
        try {
            return AgentConfigFile.parse("agent.yml", """
                    stateDir: %1$s/%2$s
                    runDir: %1$s/run
                    lockDir: %1$s/locks
                    controlPlane: {url: "http://127.0.0.1:1", credentialFile: %1$s/credential}
                    temporal: {target: "127.0.0.1:1"}
                    addressPool: %3$s
                    uidRange: %4$s
                    %5$s
                    """.formatted(folder, state, pool, uids, more));
        } catch (AgentConfigFile.Invalid e) {
            throw new IllegalArgumentException(e);
        }
    }
}
