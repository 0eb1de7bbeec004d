/** Reading {@code .gitlab-ci.yml}: includes, extends, rules, variables, matrix. */
@NullMarked
package dev.mayfly.testkit.gitlab.ci;

import org.jspecify.annotations.NullMarked;
