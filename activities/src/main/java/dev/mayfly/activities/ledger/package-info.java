/** The conservation ledger: everything that was ever made for a slot, and when it was gone. */
@NullMarked
package dev.mayfly.activities.ledger;

import org.jspecify.annotations.NullMarked;
