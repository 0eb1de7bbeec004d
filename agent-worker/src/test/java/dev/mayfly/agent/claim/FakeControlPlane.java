package dev.mayfly.agent.claim;

import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/** Answers as the test says; by default every claim is held. */
final class FakeControlPlane implements ControlPlaneCalls {

    private final String gitlab;
    final List<Long> reports = new CopyOnWriteArrayList<>();
    final List<String> nonces = new CopyOnWriteArrayList<>();
    volatile LongFunction<CompletionStage<ClaimReply>> verdict = job -> held();
    volatile boolean knowsInstance = true;
    /** Instead of a runner token, if not null. */
    volatile @Nullable Exception noToken;
    /** The runner tokens to give out, the first one first; then always the same. */
    final Queue<String> tokens = new ConcurrentLinkedQueue<>();

    FakeControlPlane(String gitlab) {
        this.gitlab = gitlab;
    }

    static CompletionStage<ClaimReply> held() {
        return answer(Verdict.HELD);
    }

    static CompletionStage<ClaimReply> answer(Verdict verdict) {
        return CompletableFuture.completedStage(
                new ClaimReply(verdict, Executor.SHELL, "because", "ask for a larger tag"));
    }

    static CompletionStage<ClaimReply> away() {
        return CompletableFuture.failedStage(new IOException("connection refused"));
    }

    @Override
    public CompletionStage<RunnerTokenReply> runnerToken(String slotId, long epoch, String nonce) {
        nonces.add(nonce);
        if (noToken != null) {
            return CompletableFuture.failedStage(noToken);
        }
        String token = tokens.poll();
        return CompletableFuture.completedStage(new RunnerTokenReply(1, token == null ? "glrt-secret" : token, "gl"));
    }

    @Override
    public CompletionStage<ClaimReply> reportClaim(
            String slotId, long epoch, long projectId, long jobId, String jobToken) {
        reports.add(jobId);
        return verdict.apply(jobId);
    }

    @Override
    public Optional<GitLabInstance> instance(String name) {
        return knowsInstance ? Optional.of(new GitLabInstance(name, gitlab, null, List.of())) : Optional.empty();
    }
}
