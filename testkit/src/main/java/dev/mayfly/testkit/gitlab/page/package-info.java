/** A few pages to look at: projects, pipelines, jobs, logs. */
@NullMarked
package dev.mayfly.testkit.gitlab.page;

import org.jspecify.annotations.NullMarked;
