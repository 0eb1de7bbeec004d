/** The control channel to the agent inside a VM. */
@NullMarked
package dev.mayfly.agent.guest;

import org.jspecify.annotations.NullMarked;
