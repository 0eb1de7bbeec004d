/** A small HTTP layer over the JDK's server: routes, calls, replies, faults. */
@NullMarked
package dev.mayfly.testkit.gitlab.http;

import org.jspecify.annotations.NullMarked;
