/** What GitLab knows: projects, pipelines, builds, runners, hooks, tokens. All of it guarded by one lock. */
@NullMarked
package dev.mayfly.testkit.gitlab.model;

import org.jspecify.annotations.NullMarked;
