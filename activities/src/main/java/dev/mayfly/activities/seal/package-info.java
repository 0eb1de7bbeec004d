/** Secrets at rest: tokens stand in PostgreSQL only sealed. */
@NullMarked
package dev.mayfly.activities.seal;

import org.jspecify.annotations.NullMarked;
