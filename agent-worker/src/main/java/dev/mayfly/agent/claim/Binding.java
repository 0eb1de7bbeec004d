package dev.mayfly.agent.claim;

import dev.mayfly.agent.relay.RelayedJob;
import dev.mayfly.agent.relay.Update;
import dev.mayfly.agent.relay.Upstream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A committed job at the relay, for one boot of the slot's VM. Carries what the relay's threads see over to the event
 * thread, and journals that the payload was served before the relay has its first byte.
 */
final class Binding implements RelayedJob {

    private final SlotContext slot;
    private final ClaimedJob job;
    private final ClaimSlot vm;
    private final Watcher watcher;
    private int updatesUnderWay;

    Binding(SlotContext slot, ClaimedJob job, ClaimSlot vm, Watcher watcher) {
        this.slot = slot;
        this.job = job;
        this.vm = vm;
        this.watcher = watcher;
    }

    /** Who is told what passes through; on the event thread. */
    interface Watcher {
        /**
         * Whether this payload may go out now, which counts as done from here on.
         *
         * @return false if the guest needs it no more
         * @throws IllegalStateException if it may not
         */
        boolean serve(Binding binding);

        /** The journal could not be written: nothing went out. */
        void notServed(Binding binding);

        /** GitLab answered an update. */
        void answered(Update update);

        /** One update less is under way. */
        void updateGone();
    }

    /** Whether GitLab may still answer an update that the guest sent before it fell silent. */
    boolean updatesUnderWay() {
        return updatesUnderWay > 0;
    }

    @Override
    public long id() {
        return job.id();
    }

    @Override
    public Set<Long> dependencies() {
        return job.dependencies();
    }

    @Override
    public boolean isItsToken(String token) {
        return token.equals(job.token());
    }

    @Override
    public CompletionStage<Upstream> upstream() {
        return slot.gitlab().thenApply(GitLabConnection::upstream);
    }

    @Override
    public CompletionStage<Optional<byte[]>> payload() {
        return CompletableFuture.supplyAsync(() -> watcher.serve(this), slot.events())
                .thenApplyAsync(due -> due ? Optional.of(journalled()) : Optional.empty(), slot.blocking());
    }

    private byte[] journalled() {
        try {
            vm.markServed();
            return job.payload();
        } catch (IOException e) {
            slot.events().execute(() -> watcher.notServed(this));
            throw new UncheckedIOException("the journal could not be written", e);
        }
    }

    @Override
    public void updateBegins() {
        slot.events().execute(() -> updatesUnderWay++);
    }

    @Override
    public CompletionStage<Void> updateAnswered(Update update) {
        return CompletableFuture.runAsync(
                () -> {
                    updatesUnderWay--;
                    watcher.answered(update);
                },
                slot.events());
    }

    @Override
    public void updateLost() {
        slot.events().execute(() -> {
            updatesUnderWay--;
            watcher.updateGone();
        });
    }
}
