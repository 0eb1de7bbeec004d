/** Job and pipeline events: payloads, headers, signatures, delivery. */
@NullMarked
package dev.mayfly.testkit.gitlab.webhook;

import org.jspecify.annotations.NullMarked;
