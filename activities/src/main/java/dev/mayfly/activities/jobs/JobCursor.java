package dev.mayfly.activities.jobs;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;

/** Where a page of jobs ended; opaque to REST clients. */
record JobCursor(Instant seenAt, String key) {

    static JobCursor after(JobView last) {
        return new JobCursor(last.seenAt(), last.job().key().workflowId());
    }

    static JobCursor parse(String text) {
        try {
            String[] parts = new String(Base64.getUrlDecoder().decode(text), StandardCharsets.UTF_8).split("\\|", 2);
            return new JobCursor(Instant.parse(parts[0]), parts[1]);
        } catch (IllegalArgumentException | DateTimeException | ArrayIndexOutOfBoundsException broken) {
            throw new IllegalArgumentException(
                    "not a page cursor: take \"next\" of the page before as it is, or leave it out", broken);
        }
    }

    String text() {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString((seenAt + "|" + key).getBytes(StandardCharsets.UTF_8));
    }
}
