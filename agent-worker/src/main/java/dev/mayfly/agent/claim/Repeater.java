package dev.mayfly.agent.claim;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Repeats calls that must get through in the end: to GitLab and to the control plane. The pause starts at
 * {@code first}, doubles, and stays at ten times that, each up to a quarter longer; an answer may ask for a longer one. A call that is repeated says
 * so in the log at its first failure, and when it got through.
 */
final class Repeater {

    private static final Logger LOG = LoggerFactory.getLogger(Repeater.class);
    private static final int LONGEST_PAUSE = 10;

    private final ScheduledExecutorService events;
    private final Duration first;

    Repeater(ScheduledExecutorService events, Duration first) {
        this.events = events;
        this.first = first;
    }

    /** What one attempt brought: a value, a failure that no attempt will cure, or the reason to try again. */
    record Attempt<T>(
            Optional<T> value,
            @Nullable Exception hopeless,
            String reason,
            @Nullable Duration pause,
            boolean ordinary) {

        static <T> Attempt<T> done(T value) {
            return new Attempt<>(Optional.of(value), null, "", null, true);
        }

        static <T> Attempt<T> hopeless(Exception failure) {
            return new Attempt<>(Optional.empty(), failure, "", null, true);
        }

        static <T> Attempt<T> again(String reason, @Nullable Duration pause) {
            return new Attempt<>(Optional.empty(), null, reason, pause, false);
        }

        /** No failure: what is waited for hasn't happened. Asked again after the shortest pause. */
        static <T> Attempt<T> notYet(String reason) {
            return new Attempt<>(Optional.empty(), null, reason, null, true);
        }
    }

    /**
     * Calls {@code attempt} until it brings a value or is hopeless; each call and the end are on the event thread. Completing the result
     * from outside, by {@code cancel} for one, ends the repetition after the attempt under way.
     *
     * @param slotId for the log, as what follows: the slot that it is for
     * @param doing what is done, "reporting" for one
     * @param object and to what
     */
    <T> CompletableFuture<T> untilDone(
            String slotId, String doing, Object object, Supplier<CompletionStage<Attempt<T>>> attempt) {
        CompletableFuture<T> result = new CompletableFuture<>();
        events.execute(() -> attempt(new Repetition<>(slotId, doing, object, attempt, result), 0));
        return result;
    }

    /**
     * The pause after the n-th attempt without success in a row, n from 0. Up to a quarter longer by chance, so that the
     * slots of a fleet don't all come back in the same moment.
     */
    Duration pause(int attempts, @Nullable Duration asked) {
        Duration own = first.multipliedBy(Math.min(LONGEST_PAUSE, 1L << Math.min(attempts, LONGEST_PAUSE)));
        Duration least = asked != null && asked.compareTo(own) > 0 ? asked : own;
        return least.plusMillis(ThreadLocalRandom.current().nextLong(least.toMillis() / 4 + 1));
    }

    private record Repetition<T>(
            String slotId,
            String doing,
            Object object,
            Supplier<CompletionStage<Attempt<T>>> attempt,
            CompletableFuture<T> result) {}

    private <T> void attempt(Repetition<T> repetition, int before) {
        if (repetition.result().isDone()) {
            return;
        }
        CompletionStage<Attempt<T>> stage;
        try {
            stage = repetition.attempt().get();
        } catch (RuntimeException e) {
            stage = CompletableFuture.failedStage(e);
        }
        var unused = stage.whenCompleteAsync((answer, failure) -> judge(repetition, before, answer, failure), events);
    }

    private <T> void judge(
            Repetition<T> repetition, int before, @Nullable Attempt<T> answer, @Nullable Throwable failure) {
        if (answer != null && answer.value().isPresent()) {
            if (before > 0) {
                LOG.info(
                        "slot {}: {} {}: got through after {} attempts",
                        repetition.slotId(),
                        repetition.doing(),
                        repetition.object(),
                        before + 1);
            }
            repetition.result().complete(answer.value().get());
            return;
        }
        if (answer != null && answer.hopeless() != null) {
            repetition.result().completeExceptionally(answer.hopeless());
            return;
        }
        if (answer != null && answer.ordinary()) {
            var unused = events.schedule(() -> attempt(repetition, 0), first.toMillis(), TimeUnit.MILLISECONDS);
            return;
        }
        String reason = answer != null ? answer.reason() : String.valueOf(cause(failure));
        if (before == 0) {
            LOG.warn(
                    "slot {}: {} {}: {}; trying again",
                    repetition.slotId(),
                    repetition.doing(),
                    repetition.object(),
                    reason);
        } else {
            LOG.debug(
                    "slot {}: {} {}: {}; attempt {}",
                    repetition.slotId(),
                    repetition.doing(),
                    repetition.object(),
                    reason,
                    before + 1);
        }
        Duration pause = pause(before, answer != null ? answer.pause() : null);
        var unused = events.schedule(() -> attempt(repetition, before + 1), pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The failure itself, without what futures wrap it in. */
    static @Nullable Throwable cause(@Nullable Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
