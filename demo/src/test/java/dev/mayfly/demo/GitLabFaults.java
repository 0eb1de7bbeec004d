package dev.mayfly.demo;

import java.util.List;
import java.util.Map;

/** The simulated GitLab's fault switches; {@link #close()} switches them off. */
final class GitLabFaults implements AutoCloseable {

    private static final String ADMIN = "/-/simulated-gitlab/admin";

    private final JsonApi api;

    private GitLabFaults(JsonApi api) {
        this.api = api;
    }

    static GitLabFaults in(DemoCluster cluster) {
        return new GitLabFaults(cluster.gitlabUser().api());
    }

    /** {@code action} is one of drop, double, delay, reorder; {@code status} the job status that it applies to. */
    GitLabFaults webhooks(String action, String status, int delayMillis) {
        api.put(
                ADMIN + "/webhook-faults",
                Map.of("faults", List.of(Map.of("action", action, "status", status, "delayMillis", delayMillis))));
        return this;
    }

    /** Every webhook of jobs. */
    GitLabFaults allWebhooks(String action) {
        api.put(ADMIN + "/webhook-faults", Map.of("faults", List.of(Map.of("action", action))));
        return this;
    }

    /** Of the webhooks of jobs each tenth is lost, each tenth comes twice, and the others come in any order. */
    GitLabFaults unreliableWebhooks() {
        api.put(
                ADMIN + "/webhook-faults",
                Map.of(
                        "faults",
                        List.of(
                                Map.of("action", "drop", "every", 10),
                                Map.of("action", "double", "every", 9, "delayMillis", 3000),
                                Map.of("action", "shuffle", "delayMillis", 3000))));
        return this;
    }

    /**
     * Whoever asks anything is answered 502, whoever tells anything 429 with two seconds to wait; but projects' own facts,
     * which a test's push asks for, are told.
     */
    GitLabFaults noApi() {
        String calls = "(?!/api/v4/projects/[0-9]+$)/api/v4/";
        api.put(
                ADMIN + "/http-faults",
                Map.of(
                        "faults",
                        List.of(
                                Map.of("method", "GET", "path", calls, "status", 502),
                                Map.of("path", calls, "status", 429, "retryAfter", 2))));
        return this;
    }

    /** Answers this status to each request that begins so. */
    GitLabFaults answer(int status, String method, String path) {
        api.put(
                ADMIN + "/http-faults",
                Map.of("faults", List.of(Map.of("method", method, "path", path, "status", status))));
        return this;
    }

    /** Gives a VM any job that fits before the one that it was made for. */
    GitLabFaults crossClaims() {
        api.put(ADMIN + "/switches", Map.of("cross_claims", true));
        return this;
    }

    /** Switches all off. */
    void none() {
        api.put(ADMIN + "/switches", Map.of("cross_claims", false));
        api.put(ADMIN + "/webhook-faults", Map.of("faults", List.of()));
        api.put(ADMIN + "/http-faults", Map.of("faults", List.of()));
    }

    @Override
    public void close() {
        none();
    }
}
