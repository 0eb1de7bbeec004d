package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A host with room for one job, and each of them takes a minute. */
class ForecastsTest extends WithFleet {

    private Forecasts forecasts;

    @BeforeEach
    void oneHost() {
        forecasts = new Forecasts(fleet.database.jdbi(), fleet.clock);
        fleet.host("a", 1);
    }

    /** One job after the other, each queued a minute before its turn. */
    private CiJob jobsInARow(int howMany) {
        CiJob before = ten;
        Holding slot = fleet.holds(before);
        for (int i = 0; i < howMany; i++) {
            CiJob next = job(100 + i, SMALL);
            fleet.capacity.hold(next);
            forecasts.note();
            fleet.clock.pass(Duration.ofMinutes(1));
            fleet.capacity.leave(before.key());
            fleet.capacity.release(before.key(), slot.slotId());
            fleet.capacity.dispatch();
            slot = fleet.holds(next);
            forecasts.note();
            before = next;
        }
        return before;
    }

    private String key(CiJob job) {
        return job.key().workflowId();
    }

    @Test
    void whoeverWaitsIsToldOnceEnoughHaveWaited() {
        CiJob runs = jobsInARow(WaitModel.LEAST + 1);
        CiJob second = job(98, SMALL);
        fleet.capacity.hold(eleven);
        fleet.capacity.hold(second);

        Eta next = forecasts.of(key(eleven)).orElseThrow();
        assertThat(next.median()).isBetween(Duration.ofSeconds(50), Duration.ofSeconds(70));
        assertThat(next.ninety()).isBetween(next.median(), Duration.ofSeconds(80));
        assertThat(forecasts.of(key(second)).orElseThrow().median())
                .as("one more is before it")
                .isBetween(Duration.ofSeconds(100), Duration.ofSeconds(140));
        assertThat(forecasts.of(key(runs))).as("it does not wait").isEmpty();
    }

    @Test
    void nobodyKnowsBefore() {
        jobsInARow(WaitModel.LEAST); // of whom the first could not be guessed: no slot had lived before it
        fleet.capacity.hold(eleven);
        assertThat(forecasts.of(key(eleven))).isEmpty();
    }

    @Test
    void aJobThatLeavesTheQueueWithoutASlotTeachesNothing() {
        jobsInARow(1);
        fleet.capacity.hold(eleven);
        forecasts.note();
        fleet.capacity.leave(eleven.key());
        forecasts.note();
        long guesses = fleet.database
                .jdbi()
                .withHandle(handle -> handle.createQuery("select count(*) from forecast")
                        .mapTo(Long.class)
                        .one());
        assertThat(guesses).isZero();
    }
}
