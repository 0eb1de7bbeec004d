/** Connecting GitLab projects: what {@code mayfly gitlab connect} asks of GitLab and changes there. */
@NullMarked
package dev.mayfly.api.connect;

import org.jspecify.annotations.NullMarked;
