/** Limits of memory, CPU and processes per VM, on cgroup v1 and v2. */
@NullMarked
package dev.mayfly.agent.cgroup;

import org.jspecify.annotations.NullMarked;
