package dev.mayfly.api.health;

import dev.mayfly.api.Failures;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks again and again whether everything is there, so that asking for readiness costs nothing and never hangs. While
 * something is away, every round writes one line that names it and the cure.
 */
public final class Readiness {

    private static final Logger LOG = LoggerFactory.getLogger(Readiness.class);

    private final List<Dependency> dependencies;
    private final Clock clock;
    private final Map<String, State> states = new ConcurrentHashMap<>();

    /**
     * How a dependency stands.
     *
     * @param needed whether the control plane can't work without it
     * @param problem what is wrong and the cure; null if nothing is
     */
    public record State(
            String name,
            boolean needed,
            boolean up,
            @Nullable String problem,
            Instant since,
            Instant lookedAt) {}

    public Readiness(List<Dependency> dependencies, Clock clock) {
        this.dependencies = List.copyOf(dependencies);
        this.clock = clock;
        for (Dependency dependency : dependencies) {
            states.put(
                    dependency.name(),
                    new State(
                            dependency.name(),
                            dependency.needed(),
                            false,
                            "not looked at yet; ask again in a moment",
                            clock.instant(),
                            Instant.EPOCH));
        }
    }

    /** One round; false: there is nothing more to do at once. */
    public boolean look() throws InterruptedException {
        for (Dependency dependency : dependencies) {
            look(dependency);
        }
        return false;
    }

    /** All of them, in the order they were given. */
    public List<State> states() {
        return dependencies.stream()
                .map(dependency -> states.get(dependency.name()))
                .toList();
    }

    /** Whether everything is up without which the control plane is no use. */
    public boolean isReady() {
        return states().stream().allMatch(state -> state.up() || !state.needed());
    }

    /** One of them. */
    State state(String name) {
        State state = states.get(name);
        if (state == null) {
            throw new IllegalArgumentException("no dependency " + name);
        }
        return state;
    }

    private void look(Dependency dependency) throws InterruptedException {
        State last = states.get(dependency.name());
        if (last != null
                && last.up()
                && last.lookedAt().plus(dependency.goodFor()).isAfter(clock.instant())) {
            return;
        }
        String problem = null;
        try {
            dependency.probe().run();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            problem = Failures.inWords(e) + "; " + dependency.cure();
        }
        String now = problem;
        states.compute(dependency.name(), (name, before) -> next(dependency, before, now));
    }

    private State next(Dependency dependency, @Nullable State before, @Nullable String problem) {
        boolean up = problem == null;
        boolean changed = before == null || before.up() != up;
        if (!up) {
            LOG.warn("{} {}: {}", dependency.needed() ? "waiting for" : "attention,", dependency.name(), problem);
        } else if (changed) {
            LOG.info("{} is there", dependency.name());
        }
        Instant now = clock.instant();
        return new State(
                dependency.name(),
                dependency.needed(),
                up,
                problem,
                changed || before == null ? now : before.since(),
                now);
    }
}
