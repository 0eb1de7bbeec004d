package dev.mayfly.activities.seal;

import org.jspecify.annotations.Nullable;

/** A sealed secret does not open; the message names the key and the context, never the secret. */
public final class SealBrokenException extends RuntimeException {

    public SealBrokenException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
