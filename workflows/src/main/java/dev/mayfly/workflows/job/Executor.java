package dev.mayfly.workflows.job;

/** How the runner in the VM runs a job's script. */
public enum Executor {
    SHELL,
    DOCKER
}
