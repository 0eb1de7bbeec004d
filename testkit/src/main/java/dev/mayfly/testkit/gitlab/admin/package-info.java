/** The switches that only a simulated GitLab has. */
@NullMarked
package dev.mayfly.testkit.gitlab.admin;

import org.jspecify.annotations.NullMarked;
