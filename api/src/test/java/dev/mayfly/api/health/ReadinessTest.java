package dev.mayfly.api.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.FailureType;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ReadinessTest {

    private static Dependency dependency(String name, Dependency.Probe probe) {
        return new Dependency(name, "start it", Duration.ZERO, true, probe);
    }

    @Test
    void nothingIsUpBeforeItWasLookedAt() {
        Readiness readiness = new Readiness(List.of(dependency("PostgreSQL", () -> {})), Clock.systemUTC());
        assertThat(readiness.states())
                .singleElement()
                .satisfies(state -> assertThat(state.up()).isFalse());
    }

    @Test
    void whatIsDownIsNamedWithReasonAndCureInPlainWords() throws InterruptedException {
        Readiness readiness = new Readiness(
                List.of(dependency("PostgreSQL", () -> {}), dependency("GitLab main", () -> {
                    throw FailureType.GITLAB_UNAVAILABLE.failure("asking GitLab main: 502\nand more");
                })),
                Clock.systemUTC());
        readiness.look();
        assertThat(readiness.states()).extracting(Readiness.State::up).containsExactly(true, false);
        assertThat(readiness.states().get(1).problem()).isEqualTo("asking GitLab main: 502; start it");
    }

    @Test
    void aGoodAnswerStandsForAsLongAsItIsGoodFor() throws InterruptedException {
        AtomicInteger probes = new AtomicInteger();
        Readiness readiness = new Readiness(
                List.of(new Dependency("GitLab", "", Duration.ofMinutes(1), true, probes::incrementAndGet)),
                Clock.systemUTC());
        readiness.look();
        readiness.look();
        assertThat(probes).hasValue(1);
    }
}
