package dev.mayfly.activities.db;

/** The database can't be used; the message says why and what to do about it. */
public final class DatabaseException extends RuntimeException {

    public DatabaseException(String message, Throwable cause) {
        super(message, cause);
    }
}
