/** The images that a host keeps for its guests: registry processes, and what stands between them and the guests. */
@NullMarked
package dev.mayfly.agent.registry;

import org.jspecify.annotations.NullMarked;
