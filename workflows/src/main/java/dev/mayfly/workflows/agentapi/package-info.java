/**
 * The agents' calls: JSON over HTTP under {@code /agent/v1} on the control plane, one bearer credential per host.
 * Temporal carries work and no secrets; everything else an agent needs goes over these calls.
 */
@NullMarked
package dev.mayfly.workflows.agentapi;

import org.jspecify.annotations.NullMarked;
