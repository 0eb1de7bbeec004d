package dev.mayfly.agent.vm;

/** This host can't start this VM, now or soon; the message names what is missing and the cure. */
public final class HostUnfitException extends Exception {

    private static final long serialVersionUID = 1;

    public HostUnfitException(String message) {
        super(message);
    }

    public HostUnfitException(String message, Throwable cause) {
        super(message, cause);
    }
}
