/** Webhooks between their receipt and their handling. */
@NullMarked
package dev.mayfly.activities.inbox;

import org.jspecify.annotations.NullMarked;
