package dev.mayfly.agent.claim;

/**
 * How one boot of a slot's VM ended.
 *
 * @param cause what was seen first
 * @param detail one sentence for people, without a secret: exit status, signal, reason of the guard
 */
public record VmEnd(Cause cause, String detail) {

    /** What ended a boot. */
    public enum Cause {
        /** The VMM is gone: it exited, was killed, or outlived its time-to-live. */
        VMM_EXITED,
        /** The VMM ended without having run a guest: it did not like its arguments, or the host. */
        VMM_REFUSED,
        /** The guest's kernel panicked. */
        GUEST_PANIC,
        /** The guest can't become what a job needs, though its VM runs. */
        GUEST_UNUSABLE,
        /** The runner in the guest ended; the VM itself may still be there. Also the ordinary end of a job. */
        RUNNER_ENDED
    }
}
