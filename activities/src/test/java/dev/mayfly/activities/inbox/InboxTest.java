package dev.mayfly.activities.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.activities.capacity.WithFleet;
import dev.mayfly.activities.inbox.Inbox.Delivery;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InboxTest extends WithFleet {

    private final List<String> handled = new ArrayList<>();
    private Inbox inbox;

    @BeforeEach
    void make() {
        inbox = new Inbox(fleet.database.jdbi(), fleet.clock);
    }

    @Test
    void aDeliveryIsKeptAsItCame() {
        byte[] raw = {(byte) 0xff, 0, (byte) 0xfe, '{'};
        inbox.put("gl", "k1", raw, Map.of("x-gitlab-event", "Job Hook"));

        List<Delivery> seen = new ArrayList<>();
        assertThat(inbox.drain(10, seen::add)).isEqualTo(1);

        assertThat(seen).singleElement().satisfies(delivery -> {
            assertThat(delivery.body()).isEqualTo(raw);
            assertThat(delivery.headers()).containsExactly(Map.entry("x-gitlab-event", "Job Hook"));
            assertThat(delivery.receivedAt()).isEqualTo(fleet.clock.instant());
            assertThat(delivery.attempts()).isZero();
        });
    }

    @Test
    void aKeyIsTakenOncePerInstanceEvenAfterItWasHandled() {
        assertThat(put("k1")).isTrue();
        assertThat(put("k1")).isFalse();
        drain();
        assertThat(put("k1")).isFalse();
        assertThat(inbox.put("other", "k1", new byte[0], Map.of())).isTrue();

        drain();

        assertThat(handled).containsExactly("k1", "k1");
    }

    @Test
    void deliveriesComeInTheOrderOfTheirArrival() {
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            keys.add("k" + i);
            put("k" + i);
        }
        // what was updated last lies last in the table
        fleet.database.jdbi().useHandle(handle -> handle.execute("update inbox set attempts = 0 where id % 3 = 0"));

        drain();

        assertThat(handled).containsExactlyElementsOf(keys);
    }

    @Test
    void aFailureIsTriedAgainAfterAPauseThatDoublesAndHoldsUpNobody() {
        put("bad");
        put("good");
        List<Duration> pauses = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            Duration pause = Duration.ZERO;
            while (tries("bad") == 0) {
                fleet.clock.pass(Duration.ofSeconds(1));
                pause = pause.plusSeconds(1);
            }
            pauses.add(pause);
        }

        assertThat(pauses.stream().map(Duration::toSeconds)).containsExactly(0L, 1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L);
        assertThat(handled).containsExactly("good");
        assertThat(lastError("bad")).contains("does not work");
        assertThat(inbox.depth()).isEqualTo(1);
    }

    private int tries(String bad) {
        List<String> tried = new ArrayList<>();
        inbox.drain(10, delivery -> {
            if (delivery.deliveryKey().equals(bad)) {
                tried.add(bad);
                throw new IllegalStateException("does not work\nsecond line");
            }
            handled.add(delivery.deliveryKey());
        });
        return tried.size();
    }

    @Test
    void aDeliveryWhoseHandlerDiedIsHandedOutAgainButNotAtOnce() {
        put("k1");
        assertThatThrownBy(() -> inbox.drain(10, delivery -> {
                    throw new Died();
                }))
                .isInstanceOf(Died.class);

        drain();
        assertThat(handled).as("in a dead process's hand").isEmpty();
        fleet.clock.pass(Inbox.IN_HAND.plusSeconds(1));
        drain();

        assertThat(handled).containsExactly("k1");
    }

    @Test
    void twoProcessesNeverHaveTheSameDeliveryInHand() {
        put("k1");
        put("k2");
        List<String> byOther = new ArrayList<>();

        inbox.drain(1, delivery -> inbox.drain(10, other -> byOther.add(other.deliveryKey())));

        assertThat(byOther).containsExactly("k2");
    }

    @Test
    void arowThatDoesNotParseHoldsUpNobody() {
        put("broken");
        put("k2");
        fleet.database
                .jdbi()
                .useHandle(handle -> handle.execute("update inbox set headers = '[1]' where delivery_key = 'broken'"));

        drain();
        fleet.clock.pass(Duration.ofMinutes(2));
        put("k3");
        drain();

        assertThat(handled).containsExactly("k2", "k3");
        assertThat(lastError("broken")).isNotBlank();
    }

    @Test
    void onlyWhatWasHandledLongAgoIsForgotten() {
        put("old");
        drain();
        put("waiting");
        fleet.clock.pass(Duration.ofDays(2));
        put("young");
        inbox.drain(10, delivery -> {
            if (delivery.deliveryKey().equals("waiting")) {
                throw new IllegalStateException("not now");
            }
        });

        assertThat(inbox.purge(Duration.ofDays(1))).isEqualTo(1);
        assertThat(put("young")).as("still known").isFalse();
        assertThat(put("waiting")).as("still known").isFalse();
        assertThat(put("old")).as("forgotten").isTrue();
    }

    private boolean put(String key) {
        return inbox.put("gl", key, "{}".getBytes(StandardCharsets.UTF_8), Map.of());
    }

    private void drain() {
        inbox.drain(100, delivery -> handled.add(delivery.deliveryKey()));
    }

    private static String lastError(String key) {
        return fleet.database
                .jdbi()
                .withHandle(handle -> handle.createQuery(
                                "select coalesce(last_error, '') from inbox where delivery_key = :key")
                        .bind("key", key)
                        .mapTo(String.class)
                        .one());
    }

    /** A process that ends in the middle: nothing catches it. */
    private static final class Died extends Error {
        private static final long serialVersionUID = 1;
    }
}
