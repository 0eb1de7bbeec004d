package dev.mayfly.workflows.activity;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.Set;

/**
 * A job as GitLab shows it.
 *
 * @param status GitLab's own word, such as {@code pending}; {@code gone} if GitLab answers 404. Unknown words count as
 *     not ended
 * @param at whose runner has it, if one has
 */
public record JobInGitLab(String status, At at) {

    private static final Set<String> ENDED = Set.of("success", "failed", "canceled", "skipped", "gone");

    /** Whose runner has the job. */
    public enum At {
        NO_RUNNER,
        OUR_RUNNER,
        FOREIGN_RUNNER
    }

    @JsonIgnore
    public boolean ended() {
        return ENDED.contains(status);
    }
}
