/** Whether what the control plane stands on is there, and what to do if it is not. */
@NullMarked
package dev.mayfly.api.health;

import org.jspecify.annotations.NullMarked;
