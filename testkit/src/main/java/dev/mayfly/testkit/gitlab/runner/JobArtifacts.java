package dev.mayfly.testkit.gitlab.runner;

import dev.mayfly.testkit.gitlab.admin.Switches;
import dev.mayfly.testkit.gitlab.ci.Durations;
import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Artifact;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Instance;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** {@code /jobs/:id/artifacts}: uploads and downloads by jobs, streamed to and from files. */
public final class JobArtifacts {
    /** Where redirected transfers go: what object storage is to a real server. */
    private static final String STORAGE = "/-/object-storage";

    private final Instance instance;
    private final Switches switches;
    private final JobAuthentication authentication;
    private final Map<String, Path> signedDownloads = new ConcurrentHashMap<>();

    public JobArtifacts(Instance instance, Switches switches) {
        this.instance = instance;
        this.switches = switches;
        this.authentication = new JobAuthentication(instance);
    }

    public void routes(Router router) {
        router.streaming("POST", "/api/v4/jobs/:job/artifacts", this::upload);
        router.streaming("POST", STORAGE + "/jobs/:job/artifacts", this::store);
        router.streaming("GET", "/api/v4/jobs/:job/artifacts", this::download);
        router.streaming("GET", STORAGE + "/files/:signature", this::signed);
    }

    private Reply upload(HttpCall call) throws IOException {
        if (switches.isOn(Switches.Setting.REDIRECT_UPLOADS)) {
            Build build = instance.locked(() -> authentication.require(call, call.query("token")));
            return Reply.redirect(
                    307, instance.url() + STORAGE + "/jobs/" + build.id() + "/artifacts?" + call.rawQuery());
        }
        return store(call);
    }

    private Reply store(HttpCall call) throws IOException {
        Build build = instance.locked(() -> authentication.require(call, call.query("token")));
        Path folder = instance.dataFolder().resolve("artifacts").resolve(Long.toString(build.id()));
        Files.createDirectories(folder);
        Multipart multipart = new Multipart(call.body(), Objects.requireNonNullElse(call.header("Content-Type"), ""));
        String filename = Path.of(multipart.nextFile()).getFileName().toString();
        Path part = Files.createTempFile(folder, "upload-", ".part");
        try {
            MessageDigest digest = sha256();
            long size;
            try (OutputStream out =
                    new BufferedOutputStream(new DigestOutputStream(Files.newOutputStream(part), digest))) {
                size = multipart.copyTo(out, switches.get(Switches.Setting.MAX_ARTIFACT_BYTES));
            }
            String type = Objects.requireNonNullElse(call.query("artifact_type"), "archive");
            String format = Objects.requireNonNullElse(call.query("artifact_format"), "zip");
            String sha256 = HexFormat.of().formatHex(digest.digest());
            Path file = folder.resolve(type + "-" + sha256.substring(0, 12));
            Artifact artifact =
                    new Artifact(type, format, filename, file, size, sha256, expiry(call.query("expire_in")));
            return instance.locked(() -> add(call, artifact, part));
        } finally {
            Files.deleteIfExists(part);
        }
    }

    /** The job may have ended while it uploaded; the same file twice is fine, another one is not. */
    private Reply add(HttpCall call, Artifact artifact, Path part) {
        Build build = authentication.require(call, call.query("token"));
        for (Artifact other : build.artifacts()) {
            if (other.type().equals(artifact.type())) {
                if (other.sha256().equals(artifact.sha256())) {
                    return Reply.text(201, "201");
                }
                throw new ApiException(400, "another artifact of the same type already exists");
            }
        }
        try {
            Files.move(part, artifact.file(), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        build.artifacts().add(artifact);
        build.touch(instance.now());
        return Reply.text(201, "201");
    }

    private Reply download(HttpCall call) {
        Path file = instance.locked(() -> downloadable(call));
        if (switches.isOn(Switches.Setting.DIRECT_DOWNLOADS) && "true".equals(call.query("direct_download"))) {
            String signature = instance.randomText(40);
            signedDownloads.put(signature, file);
            return Reply.redirect(302, instance.url() + STORAGE + "/files/" + signature);
        }
        return Reply.file(file, "application/octet-stream");
    }

    private Path downloadable(HttpCall call) {
        String header = call.header("JOB-TOKEN");
        Build asking = instance.buildByToken(header == null ? call.query("token") : header);
        if (asking == null) {
            throw header == null ? new ApiException(401, "401 Unauthorized") : ApiException.forbidden();
        }
        Build build = instance.findBuild(call.id("job"));
        if (build == null || build.project() != asking.project()) {
            throw new ApiException(404, "404 Not found");
        }
        return archive(build).file();
    }

    private Reply signed(HttpCall call) {
        Path file = signedDownloads.get(call.path("signature"));
        if (file == null) {
            throw ApiException.forbidden();
        }
        return Reply.file(file, "application/octet-stream");
    }

    /** The zip of a build, or 404. */
    public static Artifact archive(Build build) {
        return build.artifacts().stream()
                .filter(artifact -> artifact.type().equals("archive"))
                .findFirst()
                .orElseThrow(() -> new ApiException(404, "404 Not Found"));
    }

    private @Nullable Instant expiry(@Nullable String expireIn) {
        String text = expireIn == null || expireIn.isEmpty() ? "30 days" : expireIn;
        return Durations.parseSeconds(text).stream()
                .mapToObj(seconds -> instance.now().plusSeconds(seconds))
                .findFirst()
                .orElse(null);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
