package dev.mayfly.testkit.gitlab.admin;

import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Answers requests with the faults that were set, before GitLab sees them. Never those to the switches themselves. */
public final class Faults {
    private final List<HttpFault> faults = new ArrayList<>();

    public synchronized void set(List<HttpFault> newFaults) {
        faults.clear();
        faults.addAll(newFaults);
    }

    public synchronized List<HttpFault> all() {
        return List.copyOf(faults);
    }

    /** The answer that ends the call early, if a fault has one. May take its time. */
    public Optional<Reply> before(HttpCall call) {
        if (call.rawPath().startsWith(AdminApi.PATH)) {
            return Optional.empty();
        }
        HttpFault fault = next(call);
        if (fault == null) {
            return Optional.empty();
        }
        pause(fault.delayMillis());
        if (fault.status() == 0) {
            return Optional.empty();
        }
        if (fault.status() < 0) {
            throw new UncheckedIOException(new java.io.IOException("fault: connection ended"));
        }
        Reply reply = Reply.json(fault.status(), Json.object("message", fault.status() + " by a fault switch"));
        return Optional.of(
                fault.retryAfter() == null ? reply : reply.header("Retry-After", Integer.toString(fault.retryAfter())));
    }

    private synchronized @org.jspecify.annotations.Nullable HttpFault next(HttpCall call) {
        for (int i = 0; i < faults.size(); i++) {
            HttpFault fault = faults.get(i);
            if (fault.times() != 0
                    && (fault.method() == null || fault.method().equals(call.method()))
                    && Pattern.compile(fault.path()).matcher(call.rawPath()).lookingAt()) {
                faults.set(i, fault.once());
                return fault;
            }
        }
        return null;
    }

    private static void pause(int millis) {
        try {
            // Being slow is what is asked for here.
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
