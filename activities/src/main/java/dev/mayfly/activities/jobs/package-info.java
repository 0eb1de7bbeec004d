/** The job rows: what REST and the dashboard show, and the real dedupe of workflow starts. */
@NullMarked
package dev.mayfly.activities.jobs;

import org.jspecify.annotations.NullMarked;
