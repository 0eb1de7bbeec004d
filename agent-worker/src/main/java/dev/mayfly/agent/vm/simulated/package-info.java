/** Plays VMs inside the agent's own process; isolates nothing. */
@NullMarked
package dev.mayfly.agent.vm.simulated;

import org.jspecify.annotations.NullMarked;
