/**
 * {@code bin/bench}: how fast Mayfly is and how much it needs, each figure beside its floor measured in the same run.
 * Reads only what product and GitLab record anyway.
 */
@NullMarked
package dev.mayfly.demo.bench;

import org.jspecify.annotations.NullMarked;
