/** Mayfly: api. */
@NullMarked
package dev.mayfly.api;

import org.jspecify.annotations.NullMarked;
