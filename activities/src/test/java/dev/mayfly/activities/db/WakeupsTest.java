package dev.mayfly.activities.db;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.testkit.PostgresExtension;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class WakeupsTest {

    @RegisterExtension
    static final PostgresExtension postgres = new PostgresExtension();

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(300);

    private Jdbi jdbi;
    private Wakeups wakeups;

    @BeforeEach
    void listen() throws InterruptedException {
        jdbi = Jdbi.create(postgres.url(), postgres.user(), postgres.password());
        wakeups = new Wakeups(
                new DatabaseConfig(postgres.url(), postgres.user(), postgres.password(), 2), Channel.DISPATCH);
        assertThat(wakeups.await(LONG))
                .as("whoever begins to listen may have missed something")
                .isTrue();
    }

    @AfterEach
    void close() {
        wakeups.close();
    }

    @Test
    void aNotificationEndsTheWait() {
        CompletableFuture<Boolean> wait = waiting();

        notifyChannel(Channel.DISPATCH);

        assertThat(wait.join()).isTrue();
    }

    @Test
    void whatWasSaidBetweenTwoWaitsIsHeard() throws InterruptedException {
        notifyChannel(Channel.DISPATCH);

        assertThat(wakeups.await(LONG)).isTrue();
        assertThat(wakeups.await(SHORT)).as("once").isFalse();
    }

    @Test
    void anotherChannelWakesNobody() throws InterruptedException {
        notifyChannel(Channel.INBOX);

        assertThat(wakeups.await(SHORT)).isFalse();
    }

    @Test
    void afterARestartItListensAgainAndSaysThatItMayHaveMissedSomething() throws InterruptedException {
        CompletableFuture<Boolean> wait = waiting();

        postgres.cutConnections();

        assertThat(wait.join()).isTrue();
        assertThat(wakeups.await(SHORT)).isFalse();
        notifyChannel(Channel.DISPATCH);
        assertThat(wakeups.await(LONG)).as("on the new connection").isTrue();
    }

    @Test
    void whilePostgresIsAwayItWaitsWithoutSpinningAndComesBackWithinAboutASecond() throws InterruptedException {
        postgres.allowConnections(false);
        postgres.cutConnections();
        long begin = System.nanoTime();
        assertThat(wakeups.await(Duration.ofMillis(2500))).isFalse();
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(2400));

        CompletableFuture<Boolean> wait = waiting();
        postgres.allowConnections(true);
        long back = System.nanoTime();

        assertThat(wait.join()).isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - back)).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void closingEndsTheWaitAndTheConnection() {
        CompletableFuture<Boolean> wait = waiting();

        wakeups.close();

        assertThat(wait.join()).isFalse();
        awaitNoListener();
    }

    @Test
    void anInterruptEndsTheWait() throws InterruptedException {
        Thread.currentThread().interrupt();

        assertThat(interrupted()).isTrue();
    }

    private boolean interrupted() {
        try {
            wakeups.await(LONG);
            return false;
        } catch (InterruptedException expected) {
            return true;
        }
    }

    private CompletableFuture<Boolean> waiting() {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return wakeups.await(LONG);
            } catch (InterruptedException e) {
                throw new CompletionException(e);
            }
        });
    }

    private void notifyChannel(Channel channel) {
        jdbi.useHandle(handle -> handle.execute("select pg_notify(?, '')", channel.pgName()));
    }

    /** The server notices the end of a connection a moment later. */
    private void awaitNoListener() {
        while (jdbi.withHandle(handle -> handle.createQuery(
                                "select count(*) from pg_stat_activity where application_name = 'mayfly ' || :channel"
                                        + " and datname = current_database()")
                        .bind("channel", Channel.DISPATCH.pgName())
                        .mapTo(Integer.class)
                        .one())
                > 0) {
            Thread.onSpinWait();
        }
    }
}
