package dev.mayfly.testkit.gitlab.model;

import dev.mayfly.testkit.gitlab.http.ApiException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The whole of a simulated GitLab's memory and the lock that guards it. It lives as long as the process; repositories,
 * logs and artifacts are files under {@link #dataFolder()}.
 */
public final class Instance {
    private static final char[] ALPHABET =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".toCharArray();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition queueTicked = lock.newCondition();
    private final SecureRandom random = new SecureRandom();
    private final Clock clock;
    private final String url;
    private final Path dataFolder;
    private final User root = new User(1, "root", "Administrator", "root@example.com");
    private final Map<Long, Project> projects = new LinkedHashMap<>();
    private final Map<String, Long> namespaces = new LinkedHashMap<>();
    private final Map<Long, Pipeline> pipelines = new TreeMap<>();
    private final TreeMap<Long, Build> builds = new TreeMap<>();
    private final Map<Long, Runner> runners = new TreeMap<>();
    private final Map<String, AccessToken> accessTokens = new LinkedHashMap<>();
    private final Map<String, String> issuedTokens = new LinkedHashMap<>();
    private final Map<String, Long> sequences = new LinkedHashMap<>();

    public Instance(String url, Path dataFolder, Clock clock) {
        this.url = url;
        this.dataFolder = dataFolder;
        this.clock = clock;
    }

    public ReentrantLock lock() {
        return lock;
    }

    /** Runs under the lock. */
    public <T extends @Nullable Object> T locked(Supplier<T> work) {
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    /** Signalled whenever a runner's queue token has changed. */
    public Condition queueTicked() {
        return queueTicked;
    }

    public Instant now() {
        return clock.instant();
    }

    /** External URL, no slash at its end. */
    public String url() {
        return url;
    }

    public String host() {
        return java.net.URI.create(url).getHost();
    }

    public Path dataFolder() {
        return dataFolder;
    }

    public User root() {
        return root;
    }

    public long nextId(String sequence) {
        return sequences.merge(sequence, 1L, Long::sum);
    }

    /** A new secret with this prefix; remembered, so that a test can look for all of them in places they must not be. */
    public String newToken(String kind, String prefix) {
        String token = prefix + randomText(20);
        issuedTokens.put(token, kind);
        return token;
    }

    public void rememberToken(String kind, String token) {
        issuedTokens.put(token, kind);
    }

    /** Every token ever issued, with its kind. */
    public Map<String, String> issuedTokens() {
        return issuedTokens;
    }

    public String randomText(int length) {
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            text.append(ALPHABET[random.nextInt(ALPHABET.length)]);
        }
        return text.toString();
    }

    public Map<String, AccessToken> accessTokens() {
        return accessTokens;
    }

    public Collection<Project> projects() {
        return projects.values();
    }

    public void add(Project project) {
        projects.put(project.id(), project);
    }

    public void remove(Project project) {
        projects.remove(project.id());
    }

    public long namespaceId(String namespace) {
        return namespaces.computeIfAbsent(namespace, path -> nextId("namespace"));
    }

    /** By id or by full path. */
    public Optional<Project> findProject(String idOrPath) {
        return projects.values().stream()
                .filter(project -> project.fullPath().equalsIgnoreCase(idOrPath)
                        || Long.toString(project.id()).equals(idOrPath))
                .findFirst();
    }

    public Project project(String idOrPath) {
        return findProject(idOrPath).orElseThrow(() -> ApiException.notFound("Project"));
    }

    public void add(Pipeline pipeline) {
        pipelines.put(pipeline.id(), pipeline);
    }

    /** With its builds: whoever asks for one of them finds none. */
    public void remove(Pipeline pipeline) {
        pipelines.remove(pipeline.id());
        builds.values().removeIf(build -> build.pipeline() == pipeline);
    }

    public Collection<Pipeline> pipelines() {
        return pipelines.values();
    }

    public Pipeline pipeline(Project project, long id) {
        Pipeline pipeline = pipelines.get(id);
        if (pipeline == null || pipeline.project() != project) {
            throw new ApiException(404, "404 Not found");
        }
        return pipeline;
    }

    public void add(Build build) {
        builds.put(build.id(), build);
        build.pipeline().builds().add(build);
    }

    /** All builds, lowest id first. */
    public Collection<Build> builds() {
        return builds.values();
    }

    public @Nullable Build findBuild(long id) {
        return builds.get(id);
    }

    public Build build(Project project, long id) {
        Build build = builds.get(id);
        if (build == null || build.project() != project) {
            throw new ApiException(404, "404 Not found");
        }
        return build;
    }

    public Map<Long, Runner> runners() {
        return runners;
    }

    /** Builds that it runs go on; they only forget by whom. */
    public void remove(Runner runner) {
        runners.remove(runner.id());
        builds.values().stream().filter(build -> build.runner() == runner).forEach(Build::forgetRunner);
    }

    public @Nullable Runner runnerByToken(@Nullable String token) {
        return runners.values().stream()
                .filter(runner -> runner.token().equals(token))
                .findFirst()
                .orElse(null);
    }

    /** Lets runners that could take something ask again at once. */
    public void tickQueues(Collection<Runner> ofRunners) {
        for (Runner runner : ofRunners) {
            runner.tick(randomText(32));
        }
        queueTicked.signalAll();
    }

    /** The build whose valid token this is. */
    public @Nullable Build buildByToken(@Nullable String token) {
        return token == null || token.isEmpty()
                ? null
                : builds.values().stream()
                        .filter(build -> build.token().equals(token) && build.isTokenValid())
                        .findFirst()
                        .orElse(null);
    }

    public List<Hook> hooks() {
        List<Hook> hooks = new ArrayList<>();
        projects.values().forEach(project -> hooks.addAll(project.hooks().values()));
        return hooks;
    }
}
