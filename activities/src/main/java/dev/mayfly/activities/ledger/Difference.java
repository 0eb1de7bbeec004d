package dev.mayfly.activities.ledger;

/**
 * Something that the ledger and another source tell differently.
 *
 * @param source which one: {@code PostgreSQL}, a host, a GitLab instance
 * @param what one sentence for people
 */
public record Difference(String source, String what) {}
