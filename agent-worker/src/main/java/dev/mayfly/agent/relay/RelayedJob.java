package dev.mayfly.agent.relay;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** The job a VM is bound to, as the relay sees it. The relay's threads call these; none may block. */
public interface RelayedJob {

    long id();

    /** The jobs whose artifacts it may download besides its own. */
    Set<Long> dependencies();

    /** Whether this is the token that GitLab knows the job's own calls by. */
    boolean isItsToken(String token);

    /** Where GitLab is; fails if that isn't known. */
    CompletionStage<Upstream> upstream();

    /**
     * The payload, once the journal says that it was served; empty after the job's first update has passed to GitLab.
     * Fails if it may not be served now.
     */
    CompletionStage<Optional<byte[]>> payload();

    /** An update is on its way to GitLab. Exactly one of the two calls below follows. */
    void updateBegins();

    /** GitLab has answered an update; the guest gets the answer when the stage ends, however it ends. */
    CompletionStage<Void> updateAnswered(Update update);

    /** GitLab's answer to an update did not come. */
    void updateLost();
}
