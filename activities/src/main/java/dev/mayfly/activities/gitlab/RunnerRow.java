package dev.mayfly.activities.gitlab;

/**
 * A row of {@code runner}, without its token. Public only because the row mapper needs it so.
 *
 * @param removed whether GitLab confirmed that it is gone
 */
public record RunnerRow(String slotId, String instance, long projectId, long runnerId, boolean removed) {}
