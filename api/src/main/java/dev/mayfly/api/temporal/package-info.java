/** The connection to Temporal: client, worker, and what the control plane registers there. */
@NullMarked
package dev.mayfly.api.temporal;

import org.jspecify.annotations.NullMarked;
