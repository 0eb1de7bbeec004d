package dev.mayfly.agent.claim;

import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Calls for one slot that wait for an answer. Each is asked again after every change of the slot's state whether it can
 * be answered now; an answered call is forgotten. All on the event thread.
 *
 * @param <Q> what the call asks
 * @param <A> its answer
 */
final class Calls<Q, A> {

    private final List<Call<Q, A>> waiting = new ArrayList<>();

    /** @param job whose workflow asks */
    record ClaimCall(JobKey job) {}

    /** @param job whose workflow asks */
    record RunCall(JobKey job, Executor executor) {}

    /** @param knownClaim the claim its caller knows of */
    record DestroyCall(@Nullable Long knownClaim) {}

    private record Call<Q, A>(Q question, CompletableFuture<A> answer) {}

    static Calls<ClaimCall, Claimed> claim() {
        return new Calls<>();
    }

    static Calls<RunCall, Ran> run() {
        return new Calls<>();
    }

    static Calls<DestroyCall, Destroyed> destroy() {
        return new Calls<>();
    }

    void add(Q question, CompletableFuture<A> answer) {
        waiting.add(new Call<>(question, answer));
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** The first call of which {@code test} knows something. */
    <R> Optional<R> find(Function<Q, Optional<R>> test) {
        return waiting.stream()
                .flatMap(call -> test.apply(call.question()).stream())
                .findFirst();
    }

    /** None of these calls will have an answer. */
    void fail(Exception why) {
        for (Call<Q, A> call : List.copyOf(waiting)) {
            waiting.remove(call);
            call.answer().completeExceptionally(why);
        }
    }

    /** Answers every call to which {@code judge} has an answer. */
    void answer(Function<Q, Optional<A>> judge) {
        for (Call<Q, A> call : List.copyOf(waiting)) {
            judge.apply(call.question()).ifPresent(answer -> {
                waiting.remove(call);
                call.answer().complete(answer);
            });
        }
    }
}
