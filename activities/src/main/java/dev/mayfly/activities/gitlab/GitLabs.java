package dev.mayfly.activities.gitlab;

import java.util.List;

/** Clients of the configured GitLab instances, with time-outs and private CAs. */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class GitLabs implements AutoCloseable {

    public GitLabs(List<GitLabInstanceConfig> instances) {
        throw new UnsupportedOperationException("soon: " + instances);
    }

    public List<GitLabInstanceConfig> instances() {
        throw new UnsupportedOperationException("soon");
    }

    /** @throws IllegalArgumentException if no instance of that name is configured */
    public GitLabInstanceConfig instance(String name) {
        throw new UnsupportedOperationException("soon: " + name);
    }

    /** Asks the instance for its version with the configured token; for readiness and start. Throws what a call throws. */
    public String version(String name) {
        throw new UnsupportedOperationException("soon: " + name);
    }

    @Override
    public void close() {}
}
