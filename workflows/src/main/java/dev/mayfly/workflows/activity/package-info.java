/** The steps of a job's life that touch the world, each an "ensure": safe to repeat, safe if it never ran. */
@NullMarked
package dev.mayfly.workflows.activity;

import org.jspecify.annotations.NullMarked;
