package dev.mayfly.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.demo.Report.JobReport;
import dev.mayfly.demo.Report.VmReport;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One pipeline, as GitLab and Mayfly's REST API show it: the two views of each job, side by side. */
final class PipelineRun {

    private static final Set<String> ENDED = Set.of("success", "failed", "canceled", "skipped");

    private final DemoCluster cluster;
    private final GitLabUser gitlab;
    private final JsonApi controlPlane;
    private final long project;
    private final long pipeline;

    private PipelineRun(DemoCluster cluster, long project, long pipeline) {
        this.cluster = cluster;
        this.gitlab = cluster.gitlabUser();
        this.controlPlane = cluster.controlPlane();
        this.project = project;
        this.pipeline = pipeline;
    }

    /** Pushes the repository into a new project of this name. */
    static PipelineRun push(DemoCluster cluster, String projectName, Path repository) {
        return push(cluster, cluster.createProject(projectName), repository);
    }

    /** Pushes the repository into this project. */
    static PipelineRun push(DemoCluster cluster, long project, Path repository) {
        cluster.gitlabUser().push(repository, project);
        return newest(cluster, project);
    }

    /** What the last push into this project started. */
    static PipelineRun newest(DemoCluster cluster, long project) {
        return new PipelineRun(cluster, project, cluster.gitlabUser().newestPipeline(project));
    }

    /** The page that a user would look at. */
    String url() {
        return "%s/%s/-/pipelines/%d".formatted(cluster.gitlabUrl(), gitlab.pathOf(project), pipeline);
    }

    /** Every job as it stands now, by id. */
    List<JobState> jobs() {
        Map<Long, JsonNode> ours = new HashMap<>();
        String all = "/api/v1/jobs?perPage=200&pipeline=" + pipeline;
        JsonNode page = controlPlane.get(all);
        page.path("items").forEach(job -> ours.put(job.path("jobId").asLong(), job));
        while (page.hasNonNull("next")) {
            page = controlPlane.get(
                    all + "&after=" + URLEncoder.encode(page.path("next").asText(), StandardCharsets.UTF_8));
            page.path("items").forEach(job -> ours.put(job.path("jobId").asLong(), job));
        }
        List<JobState> states = new ArrayList<>();
        for (JsonNode job : gitlab.jobs(project, pipeline)) {
            states.add(new JobState(job, ours.get(job.get("id").asLong())));
        }
        return states;
    }

    JobState job(String name) {
        return jobs().stream()
                .filter(job -> job.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("the pipeline has no job " + name));
    }

    /** GitLab's word alone, for when ours can't be asked. */
    String statusInGitLab(String name) {
        return gitlab.jobs(project, pipeline).stream()
                .filter(job -> job.get("name").asText().equals(name))
                .map(job -> job.get("status").asText())
                .findFirst()
                .orElseThrow(() -> new AssertionError("the pipeline has no job " + name));
    }

    /** Waits until GitLab shows this status of every job. */
    void awaitAll(String status, Duration patience) {
        Waiting.until(
                "every job of the pipeline is " + status + ": " + url(),
                patience,
                () -> jobs().stream().allMatch(job -> job.status().equals(status)));
    }

    /** Waits until every job that is not manual has ended or was refused. */
    void awaitEnd(Duration patience, Runnable atEachLook) {
        Waiting.until("every job of the pipeline has ended: " + url(), patience, () -> {
            atEachLook.run();
            return jobs().stream().allMatch(JobState::isOver);
        });
    }

    /** Everything about every job, with its whole log. */
    List<JobReport> report() {
        return jobs().stream().map(this::report).toList();
    }

    String log(JobState job) {
        return gitlab.log(project, job.id());
    }

    void cancel(JobState job) {
        gitlab.cancel(project, job.id());
    }

    void cancelByForce(JobState job) {
        gitlab.cancelByForce(project, job.id());
    }

    /** Every job that has not ended. */
    void cancelAll() {
        gitlab.cancelPipeline(project, pipeline);
    }

    /** As by a person: GitLab makes a new job of the same name. */
    void retry(JobState job) {
        gitlab.retry(project, job.id());
    }

    /** As GitLab's own workers do with a job that is silent or takes too long. */
    void drop(JobState job, String reason) {
        gitlab.drop(job.id(), reason);
    }

    /** With all its jobs. */
    void delete() {
        gitlab.deletePipeline(project, pipeline);
    }

    private JobReport report(JobState job) {
        JsonNode runner = job.inGitLab().path("runner").path("id");
        List<String> tags = new ArrayList<>();
        job.inGitLab().path("tag_list").forEach(tag -> tags.add(tag.asText()));
        return new JobReport(
                job.id(),
                job.name(),
                job.inGitLab().path("stage").asText(),
                tags,
                job.status(),
                job.reason(),
                job.text("executor"),
                job.vm(),
                runner.isNumber() ? runner.asLong() : null,
                job.inGitLab().path("started_at").isTextual() ? log(job) : "",
                job.text("queuedAt"),
                job.text("startedAt"),
                job.text("finishedAt"));
    }

    /**
     * A job's two views.
     *
     * @param inGitLab as GitLab's REST API shows it
     * @param inMayfly as ours does; null if it never heard of it
     */
    record JobState(JsonNode inGitLab, @Nullable JsonNode inMayfly) {

        long id() {
            return inGitLab.get("id").asLong();
        }

        String name() {
            return inGitLab.get("name").asText();
        }

        /** GitLab's word, or {@code refused}. */
        String status() {
            return text("refusal") == null ? inGitLab.get("status").asText() : "refused";
        }

        boolean isOver() {
            String status = status();
            return status.equals("refused") || status.equals("manual") || (hasEnded() && isForgotten());
        }

        boolean hasEnded() {
            return ENDED.contains(inGitLab.path("status").asText());
        }

        /** Whether Mayfly, if it ever worked for this job, has removed everything of it. */
        private boolean isForgotten() {
            String phase = text("phase");
            return phase == null || phase.equalsIgnoreCase("done");
        }

        /** Whether it ended in a way that fails no pipeline. */
        boolean isWell() {
            return switch (status()) {
                case "success", "refused", "manual" -> true;
                case "failed" -> inGitLab.path("allow_failure").asBoolean();
                default -> false;
            };
        }

        @Nullable
        String reason() {
            String refusal = text("refusal");
            JsonNode failure = inGitLab.path("failure_reason");
            return refusal != null ? refusal : failure.isTextual() ? failure.asText() : null;
        }

        @Nullable
        VmReport vm() {
            String slot = text("slotId");
            String host = text("hostId");
            if (inMayfly == null || slot == null || host == null) {
                return null;
            }
            JsonNode size = inMayfly.path("size");
            return new VmReport(
                    slot,
                    host,
                    (size.path("milliCpus").asInt() + 999) / 1000,
                    size.path("memoryMib").asInt());
        }

        /** The status in GitLab and what Mayfly says; GitLab's whole answer is a page long. */
        @Override
        public String toString() {
            return "%s (%d), %s in GitLab, %s".formatted(name(), id(), status(), inMayfly);
        }

        @Nullable
        String text(String field) {
            JsonNode value = inMayfly == null ? null : inMayfly.get(field);
            return value == null || value.isNull() ? null : value.asText();
        }
    }
}
