/** Scratch disks, allocated before a VM starts and erased with it. */
@NullMarked
package dev.mayfly.agent.disk;

import org.jspecify.annotations.NullMarked;
