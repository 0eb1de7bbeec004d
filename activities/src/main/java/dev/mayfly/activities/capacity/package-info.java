/** Hosts, queue, slots and holdings: who may run what where, one transaction per change. */
@NullMarked
package dev.mayfly.activities.capacity;

import org.jspecify.annotations.NullMarked;
