/** Mayfly: activities. */
@NullMarked
package dev.mayfly.activities;

import org.jspecify.annotations.NullMarked;
