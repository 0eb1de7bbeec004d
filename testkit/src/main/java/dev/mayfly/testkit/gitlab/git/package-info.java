/** Repositories on disk, and git over HTTP through {@code git http-backend}. */
@NullMarked
package dev.mayfly.testkit.gitlab.git;

import org.jspecify.annotations.NullMarked;
