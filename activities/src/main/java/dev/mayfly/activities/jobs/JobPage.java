package dev.mayfly.activities.jobs;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of jobs, newest first.
 *
 * @param next cursor of the next page, null at the end
 */
public record JobPage(List<JobView> jobs, @Nullable String next) {}
