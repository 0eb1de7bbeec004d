/** The one place that starts other programs. */
@NullMarked
package dev.mayfly.agent.process;

import org.jspecify.annotations.NullMarked;
