/** What the control plane says to GitLab's REST API. */
@NullMarked
package dev.mayfly.activities.gitlab;

import org.jspecify.annotations.NullMarked;
