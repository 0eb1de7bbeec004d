package dev.mayfly.activities.gitlab;

import dev.mayfly.workflows.job.JobKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A job as GitLab's REST API shows it; no webhook carries its tags.
 *
 * @param status GitLab's word; {@code unknown} if it is one that this client does not know
 * @param runnerId the runner that has the job, null if none
 */
public record JobFacts(
        JobKey key,
        String status,
        List<String> tags,
        String projectPath,
        String name,
        String stage,
        String ref,
        String sha,
        long pipelineId,
        String webUrl,
        String user,
        @Nullable Long runnerId) {

    public JobFacts {
        tags = List.copyOf(tags);
    }
}
