/** What a job is: its identity, its tags, the size it asks for, and how it ended. Pure data and pure functions. */
@NullMarked
package dev.mayfly.workflows.job;

import org.jspecify.annotations.NullMarked;
