/** SimulatedGitLab: what a runner, a git client, a REST client and a webhook receiver see of a GitLab server. */
@NullMarked
package dev.mayfly.testkit.gitlab;

import org.jspecify.annotations.NullMarked;
