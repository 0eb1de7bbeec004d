/** The agents' calls: lease and inventory, runner tokens, claim reports. */
@NullMarked
package dev.mayfly.api.agents;

import org.jspecify.annotations.NullMarked;
