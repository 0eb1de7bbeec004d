package dev.mayfly.workflows.job;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A GitLab job as its workflow is told about it. Everything here may stand in Temporal's history: no secret.
 *
 * @param projectPath {@code group/app}
 * @param ref branch or tag
 * @param sha full commit id
 * @param webUrl the job's page in GitLab
 * @param user GitLab user name of who caused it
 * @param tags exactly the job's tags: its runner carries these and no others
 * @param size what its tags ask for; null for a job without our tag that GitLab handed to one of our runners. Such a
 *     job lives with the claim that brought it and is never queued
 * @param executor what its tags ask for
 * @param labels what its tags ask of its host, sorted; empty for any host
 */
public record CiJob(
        JobKey key,
        String projectPath,
        String name,
        String stage,
        String ref,
        String sha,
        long pipelineId,
        String webUrl,
        String user,
        List<String> tags,
        @Nullable VmSize size,
        Executor executor,
        List<String> labels) {

    public CiJob {
        tags = List.copyOf(tags);
        labels = labels == null ? List.of() : List.copyOf(labels); // histories written before there were labels
    }

    /** One line for people: {@code group/app #8123 test 4c/8g}. */
    public String title() {
        return "%s #%d %s%s".formatted(projectPath, key.jobId(), name, size == null ? "" : " " + size.label());
    }
}
