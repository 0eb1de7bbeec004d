/** The HTTP server that guests' runners talk to: each sees GitLab's runner protocol for its one job, streamed through. */
@NullMarked
package dev.mayfly.agent.relay;

import org.jspecify.annotations.NullMarked;
