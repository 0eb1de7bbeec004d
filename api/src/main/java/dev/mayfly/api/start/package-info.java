/** From a job in GitLab to its workflow. */
@NullMarked
package dev.mayfly.api.start;

import org.jspecify.annotations.NullMarked;
