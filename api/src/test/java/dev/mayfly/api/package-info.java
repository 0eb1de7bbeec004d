/** Tests of the control plane's edges: what HTTP callers, GitLab, hosts and operators see. */
@NullMarked
package dev.mayfly.api;

import org.jspecify.annotations.NullMarked;
