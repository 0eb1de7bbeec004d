package dev.mayfly.activities.db;

import org.jspecify.annotations.Nullable;

/** The database can't be used; the message says why and what to do about it. */
public final class DatabaseException extends RuntimeException {

    public DatabaseException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
