/** GitLab's webhooks: authenticated, put into the inbox, answered at once. Nothing here acts on them. */
@NullMarked
package dev.mayfly.api.webhook;

import org.jspecify.annotations.NullMarked;
