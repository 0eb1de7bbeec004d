package dev.mayfly.activities.ledger;

/**
 * How much of a kind there was since a time: {@code before + created = destroyed + live}.
 *
 * @param before lived at that time; 0 if counted from the beginning
 */
public record LedgerCount(String kind, long before, long created, long destroyed, long live) {}
