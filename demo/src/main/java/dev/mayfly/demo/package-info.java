/** Mayfly: demo. */
@NullMarked
package dev.mayfly.demo;

import org.jspecify.annotations.NullMarked;
