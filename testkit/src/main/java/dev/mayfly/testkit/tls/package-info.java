/** A private certificate authority for tests and demos. */
@NullMarked
package dev.mayfly.testkit.tls;

import org.jspecify.annotations.NullMarked;
