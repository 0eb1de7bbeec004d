/** What a host must remember of its slots when its agent is gone: written before it is true. */
@NullMarked
package dev.mayfly.agent.journal;

import org.jspecify.annotations.NullMarked;
