/** Asks GitLab for a slot's job, keeps what it answers, and speaks for a VM that died. */
@NullMarked
package dev.mayfly.agent.claim;

import org.jspecify.annotations.NullMarked;
