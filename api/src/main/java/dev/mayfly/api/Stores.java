package dev.mayfly.api;

import dev.mayfly.activities.capacity.Forecasts;
import dev.mayfly.activities.capacity.HostOrders;
import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.capacity.PostgresCapacity;
import dev.mayfly.activities.capacity.Slots;
import dev.mayfly.activities.inbox.Inbox;
import dev.mayfly.activities.installation.Installation;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.jobs.Retention;
import dev.mayfly.activities.ledger.Ledger;
import dev.mayfly.activities.outbox.Outbox;
import java.time.Clock;
import java.util.function.BooleanSupplier;
import org.jdbi.v3.core.Jdbi;

/** Everything that is kept in PostgreSQL. */
record Stores(
        Jdbi jdbi,
        Inbox inbox,
        Outbox outbox,
        Jobs jobs,
        Retention retention,
        Hosts hosts,
        HostOrders hostOrders,
        Slots slots,
        Forecasts forecasts,
        PostgresCapacity capacity,
        Ledger ledger,
        Installation installation) {

    static Stores over(Jdbi jdbi, Settings settings, BooleanSupplier isBehind, Clock clock) {
        Outbox outbox = new Outbox(jdbi, clock);
        return new Stores(
                jdbi,
                new Inbox(jdbi, clock),
                outbox,
                new Jobs(jdbi, clock),
                new Retention(jdbi, clock),
                new Hosts(jdbi, clock, outbox, settings.lease(), settings.minimumAgentVersion()),
                new HostOrders(jdbi, clock, outbox),
                new Slots(jdbi),
                new Forecasts(jdbi, clock),
                new PostgresCapacity(
                        jdbi, clock, outbox, settings.sealer(), settings.rules(), settings.order(), isBehind),
                new Ledger(jdbi),
                new Installation(jdbi));
    }
}
