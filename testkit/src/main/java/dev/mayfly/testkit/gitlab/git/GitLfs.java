package dev.mayfly.testkit.gitlab.git;

import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Project;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Git LFS, the batch API with basic transfers, at the paths and with the credentials that GitLab has: objects are read
 * with a user's or a running job's token, written with a user's. Source: Git LFS API {@code docs/api/batch.md}, and
 * GitLab 18 {@code app/controllers/repositories/lfs_api_controller.rb}, {@code lfs_storage_controller.rb}.
 */
public final class GitLfs {
    private static final String MEDIA_TYPE = "application/vnd.git-lfs+json";
    private static final String BATCH = "/(.+?)\\.git/info/lfs/objects/batch";
    private static final String OBJECT = "/(.+?)\\.git/gitlab-lfs/objects/([0-9a-f]{64})";

    private final GitHttp git;
    private final String url;

    /** @param url where clients reach this server */
    public GitLfs(GitHttp git, String url) {
        this.git = git;
        this.url = url;
    }

    public void routes(Router router) {
        router.matching("POST", BATCH, List.of("project"), this::batch);
        router.matching("GET", OBJECT, List.of("project", "oid"), this::download);
        router.matching("PUT", OBJECT + "/(\\d+)", List.of("project", "oid", "size"), this::upload);
    }

    private Reply batch(HttpCall call) throws IOException {
        call.parameters();
        boolean upload = call.required("operation").equals("upload");
        Project project = git.authorized(call, upload);
        List<Map<String, @Nullable Object>> objects = new ArrayList<>();
        for (Map<?, ?> wanted : call.objects("objects")) {
            String oid = String.valueOf(wanted.get("oid"));
            long size = Long.parseLong(String.valueOf(wanted.get("size")));
            objects.add(object(call, project, upload, oid, size));
        }
        return Reply.json(200, Json.object("objects", objects)).header("Content-Type", MEDIA_TYPE);
    }

    private Map<String, @Nullable Object> object(
            HttpCall call, Project project, boolean upload, String oid, long size) {
        boolean present = Files.isRegularFile(file(project, oid));
        Map<String, @Nullable Object> object = Json.object("oid", oid, "size", size, "authenticated", true);
        String href = "%s/%s.git/gitlab-lfs/objects/%s".formatted(url, project.fullPath(), oid);
        Map<String, @Nullable Object> header = Json.object("Authorization", call.header("Authorization"));
        if (upload && !present) {
            object.put("actions", Json.object("upload", Json.object("href", href + "/" + size, "header", header)));
        } else if (!upload && present) {
            object.put("actions", Json.object("download", Json.object("href", href, "header", header)));
        } else if (!upload) {
            object.put(
                    "error",
                    Json.object(
                            "code",
                            404,
                            "message",
                            "Object does not exist on the server or you don't have permissions to access it"));
        }
        return object;
    }

    private Reply download(HttpCall call) {
        Path file = file(git.authorized(call, false), call.path("oid"));
        if (!Files.isRegularFile(file)) {
            throw new ApiException(404, Json.object("message", "Not found."));
        }
        return Reply.file(file, "application/octet-stream");
    }

    private Reply upload(HttpCall call) throws IOException {
        Path file = file(git.authorized(call, true), call.path("oid"));
        Files.createDirectories(file.getParent());
        Path part = Files.createTempFile(file.getParent(), "part-", "");
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            try (InputStream body = new DigestInputStream(call.body(), sha256)) {
                Files.copy(body, part, StandardCopyOption.REPLACE_EXISTING);
            }
            boolean whole = Files.size(part) == Long.parseLong(call.path("size"))
                    && HexFormat.of().formatHex(sha256.digest()).equals(call.path("oid"));
            if (!whole) {
                throw new ApiException(400, Json.object("message", "SHA256 or size mismatch"));
            }
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            return Reply.empty(200);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static Path file(Project project, String oid) {
        return project.repository().resolve("lfs").resolve(oid);
    }
}
