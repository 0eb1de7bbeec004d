package dev.mayfly.activities.db;

/** The {@code LISTEN}/{@code NOTIFY} channels that wake background loops. A wake-up is a hint: loops also look by time. */
public enum Channel {
    /** A webhook was stored. */
    INBOX,
    /** A signal waits to be sent. */
    OUTBOX,
    /** A job was queued or room came free. */
    DISPATCH;

    /** The name in PostgreSQL. */
    public String pgName() {
        return "mayfly_" + name().toLowerCase(java.util.Locale.ROOT);
    }
}
