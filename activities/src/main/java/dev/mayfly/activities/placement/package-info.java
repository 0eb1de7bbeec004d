/** Which waiting job goes to which host, and why another still waits. Pure: no database, no clock, no randomness. */
@NullMarked
package dev.mayfly.activities.placement;

import org.jspecify.annotations.NullMarked;
