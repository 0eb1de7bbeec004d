/**
 * Finds what a crash or a workflow ended by hand left behind, and removes it. The most dangerous part of the control
 * plane: it removes only what two sweeps agree on, and stops when that would be much.
 */
@NullMarked
package dev.mayfly.api.sweep;

import org.jspecify.annotations.NullMarked;
