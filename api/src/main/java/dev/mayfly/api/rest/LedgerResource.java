package dev.mayfly.api.rest;

import dev.mayfly.activities.ledger.Difference;
import dev.mayfly.activities.ledger.Ledger;
import dev.mayfly.activities.ledger.LedgerCount;
import dev.mayfly.activities.ledger.LedgerEntry;
import dev.mayfly.api.ledger.Drift;
import io.dropwizard.util.Duration;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.time.Clock;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The conservation ledger: everything that was ever made for a job, and when it was gone. */
@Path("/api/v1/ledger")
@ApiCall
@Produces(MediaType.APPLICATION_JSON)
public final class LedgerResource {

    private final Ledger ledger;
    private final Drift drift;
    private final Clock clock;

    public LedgerResource(Ledger ledger, Drift drift, Clock clock) {
        this.ledger = ledger;
        this.drift = drift;
        this.clock = clock;
    }

    /**
     * The answer.
     *
     * @param since from when on created and destroyed count; null for always
     * @param live what lives now, and whose it is
     * @param differences where the ledger differs from tables, inventories and GitLab, as this call found it
     * @param unknown what could not be compared, and why
     */
    public record Balance(
            @Nullable Instant since,
            List<LedgerCount> kinds,
            List<LedgerEntry> live,
            List<Difference> differences,
            List<String> unknown) {}

    /**
     * The whole balance.
     *
     * @param since an instant such as {@code 2026-11-24T09:00:00Z}, or how long ago, such as {@code 24h}
     */
    @GET
    public Balance balance(@QueryParam("since") @Nullable String since) {
        Instant from = since == null ? null : instant(since);
        Drift.Look look = drift.look();
        return new Balance(from, ledger.counts(from), ledger.live(), look.differences(), look.unknown());
    }

    private Instant instant(String since) {
        try {
            return since.contains("T")
                    ? Instant.parse(since)
                    : clock.instant().minus(Duration.parse(since).toJavaDuration());
        } catch (DateTimeParseException | IllegalArgumentException e) {
            throw Problem.exception(
                    400,
                    "since is '%s'; give a time such as 2026-11-24T09:00:00Z, or how long ago, such as 24h"
                            .formatted(since));
        }
    }
}
