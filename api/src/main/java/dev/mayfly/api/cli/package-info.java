/** The command line: every command that {@code bin/mayfly} has. Errors of users are lines, never stack traces. */
@NullMarked
package dev.mayfly.api.cli;

import org.jspecify.annotations.NullMarked;
