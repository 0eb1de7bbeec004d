/**
 * The life of a job, as one durable Temporal workflow, and the contract between the control plane and the hosts. Knows
 * neither a database nor a VM: everything it does to the world is an activity.
 */
@NullMarked
package dev.mayfly.workflows;

import org.jspecify.annotations.NullMarked;
