/** The protocol that gitlab-runner speaks. */
@NullMarked
package dev.mayfly.testkit.gitlab.runner;

import org.jspecify.annotations.NullMarked;
