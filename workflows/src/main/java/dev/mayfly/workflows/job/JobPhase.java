package dev.mayfly.workflows.job;

/** Where a job's life stands. Phases may repeat: a job whose slot changes goes back. */
public enum JobPhase {
    /** Waits for a host with room. */
    QUEUED,
    /** Its VM is being started and its runner registered. */
    LAUNCHING,
    /** VM and runner are there; waits for GitLab to hand the job over. */
    CLAIMING,
    /** The job is in its VM. */
    RUNNING,
    /** VM and runner are being removed. */
    DISMANTLING,
    /** Nothing is left. */
    DONE
}
