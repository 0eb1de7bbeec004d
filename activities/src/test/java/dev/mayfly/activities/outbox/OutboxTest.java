package dev.mayfly.activities.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.activities.capacity.Fleet;
import dev.mayfly.activities.capacity.WithFleet;
import dev.mayfly.activities.outbox.Outbox.Message;
import dev.mayfly.activities.outbox.Outbox.Signal;
import dev.mayfly.workflows.activity.Holding;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboxTest extends WithFleet {

    private final List<String> sent = new ArrayList<>();

    @Test
    void aSignalArrivesWithAllThatItCarries() {
        Holding holding = new Holding("abcde-1", "a", 3, Fleet.SMALL, 17, 10L);
        fleet.database
                .jdbi()
                .useTransaction(handle ->
                        fleet.outbox.add(handle, ten.key().workflowId(), Signal.HOLDING, holding, "why", ten));

        List<Message> messages = new ArrayList<>();
        assertThat(fleet.outbox.drain(10, messages::add)).isEqualTo(1);

        assertThat(messages).singleElement().satisfies(message -> {
            assertThat(message.workflowId()).isEqualTo(ten.key().workflowId());
            assertThat(message.signal()).isEqualTo(Signal.HOLDING);
            assertThat(message.holding()).isEqualTo(holding);
            assertThat(message.text()).isEqualTo("why");
            assertThat(message.start()).isEqualTo(ten);
            assertThat(message.attempts()).isZero();
        });
        assertThat(fleet.outbox.depth()).isZero();
    }

    @Test
    void aTransactionThatIsRolledBackSendsNothing() {
        assertThatThrownBy(() -> fleet.database.jdbi().useTransaction(handle -> {
                    fleet.outbox.add(handle, "w1", Signal.LOOK, null, null, null);
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");

        drain();

        assertThat(sent).isEmpty();
    }

    @Test
    void signalsLeaveInTheOrderInWhichTheyWereDecided() {
        List<String> workflows = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            workflows.add("w" + i);
            add("w" + i);
        }
        fleet.database.jdbi().useHandle(handle -> handle.execute("update outbox set attempts = 0 where id % 3 = 0"));

        drain();

        assertThat(sent).containsExactlyElementsOf(workflows);
    }

    @Test
    void aSignalThatFailsIsSentAgainAfterAPauseThatDoublesAndHoldsUpNobody() {
        add("bad");
        add("good");
        List<Long> pauses = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            long seconds = 0;
            while (tries("bad") == 0) {
                fleet.clock.pass(Duration.ofSeconds(1));
                seconds++;
            }
            pauses.add(seconds);
        }

        assertThat(pauses).containsExactly(0L, 1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L);
        assertThat(sent).containsExactly("good");
        assertThat(fleet.outbox.depth()).isEqualTo(1);
    }

    private int tries(String bad) {
        List<String> tried = new ArrayList<>();
        fleet.outbox.drain(10, message -> {
            if (message.workflowId().equals(bad)) {
                tried.add(bad);
                throw new java.io.IOException("Temporal is away");
            }
            sent.add(message.workflowId());
        });
        return tried.size();
    }

    @Test
    void rowsThatDoNotParseHoldUpNobody() {
        insert("no-such-signal", "LOUDER", "{}");
        insert("no-holding", "HOLDING", "{\"holding\": 5}");
        add("w1");

        drain();
        fleet.clock.pass(Duration.ofMinutes(2));
        add("w2");
        drain();

        assertThat(sent).containsExactly("w1", "w2");
        assertThat(fleet.outbox.depth()).isEqualTo(2);
        List<String> errors = fleet.database
                .jdbi()
                .withHandle(handle -> handle.createQuery(
                                "select last_error from outbox where delivered_at is null order by id")
                        .mapTo(String.class)
                        .list());
        assertThat(errors)
                .satisfiesExactly(
                        first -> assertThat(first).contains("LOUDER"),
                        second -> assertThat(second).contains("Holding"));
    }

    @Test
    void aSignalWhoseSenderDiedIsSentAgainButNotAtOnce() {
        add("w1");
        assertThatThrownBy(() -> fleet.outbox.drain(10, message -> {
                    sent.add(message.workflowId());
                    throw new Died();
                }))
                .isInstanceOf(Died.class);

        drain();
        assertThat(sent).as("in a dead process's hand").containsExactly("w1");
        fleet.clock.pass(Outbox.IN_HAND.plusSeconds(1));
        drain();

        assertThat(sent).as("at least once").containsExactly("w1", "w1");
    }

    @Test
    void twoProcessesNeverHaveTheSameSignalInHand() {
        add("w1");
        add("w2");

        fleet.outbox.drain(1, message -> drain());

        assertThat(sent).containsExactly("w2");
    }

    @Test
    void anInterruptStopsAndLosesNothing() {
        add("w1");
        add("w2");

        int count = fleet.outbox.drain(10, message -> {
            throw new InterruptedException();
        });

        assertThat(count).isZero();
        assertThat(Thread.interrupted()).as("handed on to the loop").isTrue();
        fleet.clock.pass(Outbox.IN_HAND.plusSeconds(1));
        drain();
        assertThat(sent).containsExactly("w1", "w2");
    }

    @Test
    void onlyWhatWasDeliveredLongAgoIsForgotten() {
        add("old");
        drain();
        fleet.clock.pass(Duration.ofDays(2));
        add("young");
        drain();
        add("waiting");

        assertThat(fleet.outbox.purge(Duration.ofDays(1))).isEqualTo(1);
        assertThat(fleet.outbox.depth()).isEqualTo(1);
    }

    private static void add(String workflow) {
        fleet.outbox.add(workflow, Signal.LOOK, null, null);
    }

    private static void insert(String workflow, String signal, String payload) {
        fleet.database
                .jdbi()
                .useHandle(handle -> handle.execute(
                        "insert into outbox (workflow_id, signal, payload, created_at, due_at)"
                                + " values (?, ?, cast(? as jsonb), ?, ?)",
                        workflow,
                        signal,
                        payload,
                        fleet.clock.instant(),
                        fleet.clock.instant()));
    }

    private void drain() {
        fleet.outbox.drain(100, message -> sent.add(message.workflowId()));
    }

    /** A process that ends in the middle: nothing catches it. */
    private static final class Died extends Error {
        private static final long serialVersionUID = 1;
    }
}
