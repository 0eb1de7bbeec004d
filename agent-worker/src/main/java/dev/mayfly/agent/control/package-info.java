/** The agents' calls to the control plane, over HTTP. */
@NullMarked
package dev.mayfly.agent.control;

import org.jspecify.annotations.NullMarked;
