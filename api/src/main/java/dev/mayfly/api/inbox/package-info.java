/** What stored webhooks and stored signals lead to, done later and as often as it takes. */
@NullMarked
package dev.mayfly.api.inbox;

import org.jspecify.annotations.NullMarked;
