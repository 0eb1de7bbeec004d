package dev.mayfly.activities.gitlab;

import dev.mayfly.workflows.job.JobKey;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.gitlab4j.api.models.Job;
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

    private static final String UNKNOWN = "unknown";

    public JobFacts {
        tags = List.copyOf(tags);
    }

    /** What GitLab answered for this job. {@code url} is the instance's. */
    static JobFacts of(JobKey key, Job job, String url) {
        String webUrl = Objects.requireNonNullElse(job.getWebUrl(), "");
        return new JobFacts(
                key,
                job.getStatus() == null ? UNKNOWN : job.getStatus().toString().toLowerCase(Locale.ROOT),
                Objects.requireNonNullElse(job.getTagList(), List.of()),
                projectPath(key, webUrl, url),
                text(job.getName()),
                text(job.getStage()),
                text(job.getRef()),
                job.getCommit() == null ? "" : text(job.getCommit().getId()),
                job.getPipeline() == null ? 0 : job.getPipeline().getId(),
                webUrl,
                job.getUser() == null ? "" : text(job.getUser().getUsername()),
                job.getRunner() == null ? null : job.getRunner().getId());
    }

    /** A job's answer names its project only in its page's address. */
    private static String projectPath(JobKey key, String webUrl, String url) {
        int end = webUrl.indexOf("/-/jobs/");
        return end > url.length() && webUrl.startsWith(url)
                ? webUrl.substring(url.length() + 1, end)
                : "project " + key.projectId();
    }

    private static String text(@Nullable String value) {
        return Objects.requireNonNullElse(value, "");
    }
}
