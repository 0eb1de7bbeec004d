package dev.mayfly.api.sweep;

import dev.mayfly.activities.installation.Installation;
import dev.mayfly.api.Failures;
import dev.mayfly.api.loop.Loop;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares PostgreSQL, Temporal, GitLab and the hosts' inventories at start and then every minute, and puts right what
 * is left over. Promises: an orphan is what two sweeps far enough apart agree on, and old enough; a pass that would
 * remove much, or that meets another Temporal namespace or another database than before, removes nothing, says so in
 * readiness, and waits for an operator's word. What it remembers is lost in a crash, which only makes it wait longer.
 */
public final class Sweeper implements Loop.Step {

    private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);
    private static final String PROCEED = "; look at the log and, if that is right, run: bin/mayfly sweep --proceed";

    private final List<Rule> rules;
    private final Brake brake;
    private final Duration every;
    private final Duration agreeAfter;
    private final Duration olderThan;
    private final Installation installation;
    private final String installationAtStart;
    private final Supplier<String> namespaceId;
    private final IntSupplier living;
    private final Clock clock;
    private final Map<String, Instant> firstSeen = new HashMap<>();
    private volatile @Nullable String braked;
    private volatile Instant proceedUntil = Instant.EPOCH;

    /**
     * Made by the wiring.
     *
     * @param namespaceId asks Temporal for its namespace's id
     * @param living how much there is that could be removed
     */
    Sweeper(
            List<Rule> rules,
            Brake brake,
            Duration every,
            Duration agreeAfter,
            Duration olderThan,
            Installation installation,
            Supplier<String> namespaceId,
            IntSupplier living,
            Clock clock) {
        this.rules = List.copyOf(rules);
        this.brake = brake;
        this.every = every;
        this.agreeAfter = agreeAfter;
        this.olderThan = olderThan;
        this.installation = installation;
        this.installationAtStart = installation.id();
        this.namespaceId = namespaceId;
        this.living = living;
        this.clock = clock;
    }

    /** Why it holds back, with the command that lets it go on; null if it doesn't. */
    public @Nullable String braked() {
        return braked;
    }

    /**
     * An operator has looked: what the passes of the next minutes agree on is removed, however much it is, and the
     * namespace that is there now is the right one.
     */
    public void proceed() {
        Duration enough = agreeAfter.plus(every).multipliedBy(2);
        LOG.warn("sweeper: told by an operator to proceed for {}", enough);
        proceedUntil = clock.instant().plus(enough);
    }

    /** One pass. */
    @Override
    public boolean run() {
        boolean told = clock.instant().isBefore(proceedUntil);
        String changed = changedWorld(told);
        if (changed != null) {
            hold(changed);
            return false;
        }
        List<Orphan> due = due(find());
        int toRemove = (int) due.stream().filter(Orphan::destroys).count();
        if (!told && brake.holds(toRemove, living.getAsInt())) {
            due.forEach(orphan -> tell("held back: ", orphan, null));
            hold("the sweeper would remove %d of %d things that live".formatted(toRemove, living.getAsInt()));
            return false;
        }
        braked = null;
        due.forEach(this::cure);
        return false;
    }

    private void hold(String reason) {
        braked = reason + PROCEED;
        LOG.error("sweeper: holding back: {}", braked);
    }

    private @Nullable String changedWorld(boolean told) {
        if (!installation.id().equals(installationAtStart)) {
            return "the database's installation id is no longer %s; restart the control plane on the right database"
                    .formatted(installationAtStart);
        }
        String namespace = namespaceId.get();
        if (told) {
            installation.rebindNamespace(namespace);
        }
        return installation.bindNamespace(namespace)
                ? null
                : "Temporal's namespace is another one than before: it was emptied or exchanged, and every job looks"
                        + " as if it had no workflow";
    }

    private List<Orphan> find() {
        List<Orphan> found = new ArrayList<>();
        for (Rule rule : rules) {
            try {
                found.addAll(rule.find());
            } catch (Exception e) {
                LOG.warn("sweeper: {} can't tell now: {}", rule.getClass().getSimpleName(), Failures.inWords(e));
            }
        }
        return found;
    }

    /** Those that an earlier sweep has seen already. One that is not seen in a sweep begins anew. */
    private List<Orphan> due(List<Orphan> found) {
        Instant now = clock.instant();
        firstSeen.keySet().retainAll(found.stream().map(Orphan::key).toList());
        found.forEach(orphan -> firstSeen.putIfAbsent(orphan.key(), now));
        return found.stream()
                .filter(orphan -> isOver(firstSeen.getOrDefault(orphan.key(), now), agreeAfter, now)
                        && isOver(orphan.since(), olderThan, now))
                .toList();
    }

    private void cure(Orphan orphan) {
        tell("", orphan, null);
        try {
            orphan.cure().run();
            firstSeen.remove(orphan.key());
        } catch (Exception e) {
            tell("not done, will be tried again: ", orphan, Failures.inWords(e));
        }
    }

    /** What it names stays an argument, so that the log has it as a field. */
    private static void tell(String before, Orphan orphan, @Nullable String failure) {
        String message = "sweeper: " + before + orphan.what();
        if (failure == null) {
            LOG.warn(message, orphan.named().toArray());
        } else {
            LOG.warn(
                    message + ": {}",
                    Stream.concat(orphan.named().stream(), Stream.of(failure)).toArray());
        }
    }

    private static boolean isOver(Instant since, Duration age, Instant now) {
        return !since.plus(age).isAfter(now);
    }
}
