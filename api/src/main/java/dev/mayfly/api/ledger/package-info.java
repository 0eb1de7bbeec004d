/** Compares the ledger with what there is. */
@NullMarked
package dev.mayfly.api.ledger;

import org.jspecify.annotations.NullMarked;
