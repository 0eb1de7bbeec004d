package dev.mayfly.workflows;

/** Temporal task queues: one for the control plane, two per host so that waiting never starves launch and destroy. */
public final class TaskQueues {

    public static final String CONTROL = "control";

    private TaskQueues() {}

    /** Where {@code launch} and {@code destroy} of this host run. */
    public static String host(String hostId) {
        return "host." + hostId;
    }

    /** Where {@code claim} and {@code run} of this host wait. */
    public static String hostWait(String hostId) {
        return "host." + hostId + ".wait";
    }
}
