/** Mayfly: agent. */
@NullMarked
package dev.mayfly.agent;

import org.jspecify.annotations.NullMarked;
