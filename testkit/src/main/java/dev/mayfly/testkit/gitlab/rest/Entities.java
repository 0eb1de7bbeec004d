package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.Artifact;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.User;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** REST's objects about pipelines and jobs (lib/api/entities). */
final class Entities {
    private final Instance instance;

    Entities(Instance instance) {
        this.instance = instance;
    }

    Map<String, @Nullable Object> user(User user) {
        return Json.object(
                "id", user.id(),
                "username", user.username(),
                "public_email", null,
                "name", user.name(),
                "state", "active",
                "locked", false,
                "avatar_url", "https://www.gravatar.com/avatar/" + user.id() + "?s=80&d=identicon",
                "web_url", instance.url() + "/" + user.username(),
                "created_at", "2026-01-01T00:00:00.000Z",
                "bio", "",
                "location", "",
                "linkedin", "",
                "twitter", "",
                "skype", "",
                "website_url", "",
                "organization", "");
    }

    Map<String, @Nullable Object> commit(Pipeline pipeline) {
        Pipeline.Commit commit = pipeline.commit();
        return Json.object(
                "id", commit.sha(),
                "short_id", commit.sha().substring(0, 8),
                "created_at", Json.iso(commit.at()),
                "parent_ids", List.of(),
                "title", commit.title(),
                "message", commit.message(),
                "author_name", commit.authorName(),
                "author_email", commit.authorEmail(),
                "authored_date", Json.iso(commit.at()),
                "committer_name", commit.authorName(),
                "committer_email", commit.authorEmail(),
                "committed_date", Json.iso(commit.at()),
                "web_url", instance.url() + "/" + pipeline.project().fullPath() + "/-/commit/" + commit.sha());
    }

    Map<String, @Nullable Object> pipelineBasic(Pipeline pipeline) {
        return Json.object(
                "id", pipeline.id(),
                "iid", pipeline.iid(),
                "project_id", pipeline.project().id(),
                "sha", pipeline.cause().sha(),
                "ref", pipeline.cause().ref(),
                "status", pipeline.status().text(),
                "source", pipeline.cause().source(),
                "created_at", Json.iso(pipeline.createdAt()),
                "updated_at", Json.iso(pipeline.updatedAt()),
                "web_url", instance.url() + "/" + pipeline.project().fullPath() + "/-/pipelines/" + pipeline.id(),
                "name", null);
    }

    Map<String, @Nullable Object> pipeline(Pipeline pipeline) {
        Map<String, @Nullable Object> entity = pipelineBasic(pipeline);
        Double duration = Json.seconds(pipeline.startedAt(), pipeline.finishedAt());
        Double queued = Json.seconds(pipeline.createdAt(), pipeline.startedAt());
        entity.put("before_sha", pipeline.cause().beforeSha());
        entity.put("tag", pipeline.cause().tag());
        entity.put("yaml_errors", pipeline.yamlErrors());
        entity.put("user", user(pipeline.cause().user()));
        entity.put("started_at", Json.iso(pipeline.startedAt()));
        entity.put("finished_at", Json.iso(pipeline.finishedAt()));
        entity.put("committed_at", null);
        entity.put("duration", duration == null ? null : Math.round(duration));
        entity.put("queued_duration", queued == null ? null : Math.round(queued));
        entity.put("coverage", null);
        entity.put(
                "detailed_status",
                Json.object(
                        "icon",
                        "status_" + pipeline.status().text(),
                        "text",
                        pipeline.status().text(),
                        "label",
                        pipeline.status().text(),
                        "group",
                        pipeline.status().text(),
                        "tooltip",
                        pipeline.status().text(),
                        "has_details",
                        true,
                        "details_path",
                        "/" + pipeline.project().fullPath() + "/-/pipelines/" + pipeline.id(),
                        "illustration",
                        null,
                        "favicon",
                        ""));
        return entity;
    }

    Map<String, @Nullable Object> job(Build build) {
        Map<String, @Nullable Object> entity = Json.object(
                "id", build.id(),
                "status", build.status().text(),
                "stage", build.seed().stage(),
                "name", build.name(),
                "ref", build.pipeline().cause().ref(),
                "tag", build.pipeline().cause().tag(),
                "coverage", null,
                "allow_failure", build.isAllowedToFail(),
                "created_at", Json.iso(build.createdAt()),
                "started_at", Json.iso(build.startedAt()),
                "finished_at", Json.iso(build.finishedAt()),
                "erased_at", Json.iso(build.erasedAt()),
                "duration", Json.seconds(build.startedAt(), end(build)),
                "queued_duration", queued(build),
                "user", user(build.user()),
                "commit", commit(build.pipeline()),
                "pipeline", pipelineBasic(build.pipeline()),
                "web_url", instance.url() + "/" + build.project().fullPath() + "/-/jobs/" + build.id(),
                "project", Json.object("ci_job_token_scope_enabled", false));
        if (build.status() == CiStatus.FAILED) {
            entity.put("failure_reason", build.failureReason());
        }
        addArtifacts(entity, build);
        entity.put("runner", build.runner() == null ? null : RunnerEntities.basic(build.runner(), instance.now()));
        entity.put(
                "runner_manager",
                build.manager() == null ? null : RunnerEntities.manager(build.manager(), instance.now()));
        entity.put("archived", false);
        entity.put("source", build.pipeline().cause().source());
        entity.put("tag_list", build.tags());
        return entity;
    }

    private static void addArtifacts(Map<String, @Nullable Object> entity, Build build) {
        List<Map<String, @Nullable Object>> artifacts = new ArrayList<>();
        Instant expireAt = null;
        for (Artifact artifact : build.artifacts()) {
            artifacts.add(artifact(artifact.type(), artifact.size(), artifact.filename(), artifact.format()));
            if (artifact.type().equals("archive")) {
                entity.put("artifacts_file", Json.object("filename", artifact.filename(), "size", artifact.size()));
                expireAt = artifact.expireAt();
            }
        }
        if (build.status().isComplete() && Files.exists(build.trace())) {
            artifacts.add(artifact("trace", build.trace().toFile().length(), "job.log", null));
        }
        entity.put("artifacts", artifacts);
        entity.put("artifacts_expire_at", Json.iso(expireAt));
    }

    private static Map<String, @Nullable Object> artifact(
            String type, long size, String filename, @Nullable String format) {
        return Json.object("file_type", type, "size", size, "filename", filename, "file_format", format);
    }

    private @Nullable Instant end(Build build) {
        return build.finishedAt() == null && build.startedAt() != null ? instance.now() : build.finishedAt();
    }

    private @Nullable Double queued(Build build) {
        return build.queuedAt() == null
                ? null
                : Json.seconds(build.queuedAt(), Objects.requireNonNullElse(build.startedAt(), instance.now()));
    }
}
