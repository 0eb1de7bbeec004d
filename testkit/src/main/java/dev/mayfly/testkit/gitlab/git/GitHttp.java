package dev.mayfly.testkit.gitlab.git;

import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.User;
import dev.mayfly.testkit.gitlab.rest.Authentication;
import dev.mayfly.testkit.gitlab.rest.Projects;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Git over HTTP: clones with a user's or a running job's token, pushes with a user's. A push to a project that is not
 * there makes it, as GitLab does. Packs are streamed between the client and {@code git http-backend}.
 */
public final class GitHttp {
    private static final String SERVICE = "/(.+?)\\.git/(info/refs|git-upload-pack|git-receive-pack)";

    /** Learns of pushed refs. */
    @FunctionalInterface
    public interface PushListener {
        /** @param before the old commit, {@link GitRepository#NO_COMMIT} for a new ref */
        void pushed(Project project, User user, String ref, String before, String after);
    }

    private final Instance instance;
    private final Authentication authentication;
    private final Projects projects;
    private final PushListener listener;

    public GitHttp(Instance instance, Authentication authentication, Projects projects, PushListener listener) {
        this.instance = instance;
        this.authentication = authentication;
        this.projects = projects;
        this.listener = listener;
    }

    public void routes(Router router) {
        router.matching("GET", SERVICE, List.of("project", "service"), this::serve);
        router.matching("POST", SERVICE, List.of("project", "service"), this::serve);
    }

    private Reply serve(HttpCall call) throws IOException {
        String service = call.path("service");
        boolean push = service.equals("git-receive-pack") || "git-receive-pack".equals(call.query("service"));
        Project project = authorized(call, push);
        GitRepository repository = new GitRepository(project.repository());
        repository.init(project.defaultBranch());
        if (!service.equals("git-receive-pack")) {
            return backend(call, project);
        }
        User user = instance.locked(() -> authentication.gitUser(call)).orElse(instance.root());
        // One push at a time: what has changed is told by comparing the refs before and after.
        synchronized (project.repository().toString().intern()) {
            Map<String, String> before = repository.refs();
            Reply reply = backend(call, project);
            Map<String, String> after = repository.refs();
            announce(project, user, before, after);
            return reply;
        }
    }

    /** The project that the path names, if these credentials may read it or push to it. */
    Project authorized(HttpCall call, boolean push) {
        return instance.locked(() -> authorize(call, push));
    }

    private Project authorize(HttpCall call, boolean push) {
        boolean member = authentication.gitUser(call).isPresent();
        boolean job = !push && authentication.gitJob(call).isPresent();
        Optional<Project> found = instance.findProject(call.path("project"));
        if (!member
                && !job
                && (push || found.isEmpty() || !found.get().visibility().equals("public"))) {
            throw new ApiException(401, Json.object("message", "HTTP Basic: Access denied"))
                    .withHeader("WWW-Authenticate", "Basic realm=\"GitLab\"");
        }
        if (found.isEmpty() && push) {
            return projects.create(call.path("project"), "private");
        }
        return found.orElseThrow(() -> new ApiException(
                404, "The project you were looking for could not be found or you don't have permission to view it."));
    }

    private void announce(Project project, User user, Map<String, String> before, Map<String, String> after) {
        after.forEach((ref, sha) -> {
            String old = before.getOrDefault(ref, GitRepository.NO_COMMIT);
            if (!old.equals(sha)) {
                listener.pushed(project, user, ref, old, sha);
            }
        });
    }

    private Reply backend(HttpCall call, Project project) throws IOException {
        Process process = start(call, project);
        Thread feeder = new Thread(() -> feed(call, process), "git-http-in");
        feeder.setDaemon(true);
        feeder.start();
        InputStream out = process.getInputStream();
        Map<String, String> headers = readHeaders(out);
        String status = headers.getOrDefault("Status", "200 OK");
        headers.remove("Status");
        // A push's answer is short and must wait for the refs; a clone's is a pack and is streamed.
        if (call.path("service").equals("git-receive-pack")) {
            byte[] body = out.readAllBytes();
            await(process);
            return new Reply(number(status), headers, body.length, body.length == 0 ? null : sink -> sink.write(body));
        }
        return new Reply(number(status), headers, -1, sink -> {
            try (out) {
                out.transferTo(sink);
            } finally {
                process.destroy();
            }
        });
    }

    private Process start(HttpCall call, Project project) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder("git", "http-backend").redirectError(ProcessBuilder.Redirect.DISCARD);
        Map<String, String> env = builder.environment();
        env.put("GIT_PROJECT_ROOT", project.repository().toString());
        env.put("GIT_HTTP_EXPORT_ALL", "1");
        env.put("PATH_INFO", "/" + call.path("service"));
        env.put("REQUEST_METHOD", call.method());
        env.put("QUERY_STRING", call.rawQuery());
        env.put("REMOTE_USER", "git");
        env.put("REMOTE_ADDR", call.remoteAddress());
        env.put("CONTENT_TYPE", orEmpty(call.header("Content-Type")));
        putIfPresent(env, "CONTENT_LENGTH", call.header("Content-Length"));
        putIfPresent(env, "HTTP_CONTENT_ENCODING", call.header("Content-Encoding"));
        putIfPresent(env, "GIT_PROTOCOL", call.header("Git-Protocol"));
        env.put("GIT_CONFIG_COUNT", "1");
        env.put("GIT_CONFIG_KEY_0", "safe.directory");
        env.put("GIT_CONFIG_VALUE_0", "*");
        return builder.start();
    }

    private static void feed(HttpCall call, Process process) {
        try (OutputStream in = process.getOutputStream()) {
            call.body().transferTo(in);
        } catch (IOException e) {
            // Either side has ended; the backend's answer says what happened.
            process.destroy();
        }
    }

    private static Map<String, String> readHeaders(InputStream out) throws IOException {
        Map<String, String> headers = new LinkedHashMap<>();
        StringBuilder line = new StringBuilder();
        for (int c = out.read(); c >= 0; c = out.read()) {
            if (c != '\n') {
                line.append((char) c);
                continue;
            }
            String text = line.toString().strip();
            line.setLength(0);
            int colon = text.indexOf(':');
            if (colon < 0) {
                return headers;
            }
            headers.put(text.substring(0, colon), text.substring(colon + 1).strip());
        }
        throw new IOException("git http-backend ended without an answer");
    }

    private static int number(String status) {
        return Integer.parseInt(status.substring(0, 3));
    }

    private static void await(Process process) {
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException("interrupted while git ran", e));
        }
    }

    private static void putIfPresent(Map<String, String> env, String key, @Nullable String value) {
        if (value != null) {
            env.put(key, value);
        }
    }

    private static String orEmpty(@Nullable String value) {
        return value == null ? "" : value;
    }
}
