/** The control plane's PostgreSQL: connections, schema migrations, wake-ups. */
@NullMarked
package dev.mayfly.activities.db;

import org.jspecify.annotations.NullMarked;
