/** Signals to workflows between the transaction that decided them and Temporal. */
@NullMarked
package dev.mayfly.activities.outbox;

import org.jspecify.annotations.NullMarked;
