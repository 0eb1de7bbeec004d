/** Whose certificates the agent believes. */
@NullMarked
package dev.mayfly.agent.tls;

import org.jspecify.annotations.NullMarked;
