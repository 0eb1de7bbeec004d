/** What the configuration's {@code logging} can name beside what Dropwizard brings. */
@NullMarked
package dev.mayfly.api.log;

import org.jspecify.annotations.NullMarked;
