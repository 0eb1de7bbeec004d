/** One network namespace per VM, and what may leave it. */
@NullMarked
package dev.mayfly.agent.network;

import org.jspecify.annotations.NullMarked;
