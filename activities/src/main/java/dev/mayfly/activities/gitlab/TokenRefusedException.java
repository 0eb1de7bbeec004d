package dev.mayfly.activities.gitlab;

/** A runner token is not for this caller any more; answered with 409. */
public final class TokenRefusedException extends RuntimeException {

    public TokenRefusedException(String message) {
        super(message);
    }
}
