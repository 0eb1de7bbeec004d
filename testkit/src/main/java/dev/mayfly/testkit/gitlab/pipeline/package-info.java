/** Pipelines: creation, job states, retries, the payload that a runner gets. */
@NullMarked
package dev.mayfly.testkit.gitlab.pipeline;

import org.jspecify.annotations.NullMarked;
