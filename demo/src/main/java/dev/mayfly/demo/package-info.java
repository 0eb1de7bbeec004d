/**
 * A whole Mayfly on one machine: PostgreSQL, Temporal, a simulated GitLab, the control plane and agents, each a process
 * of its own; agents and GitLab in network namespaces on a private bridge. The demonstration and the system tests are
 * written on it.
 */
@NullMarked
package dev.mayfly.demo;

import org.jspecify.annotations.NullMarked;
