/** What the host asks of a VM driver; drivers are siblings below. */
@NullMarked
package dev.mayfly.agent.vm;

import org.jspecify.annotations.NullMarked;
