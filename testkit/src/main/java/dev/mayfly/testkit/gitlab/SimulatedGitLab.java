package dev.mayfly.testkit.gitlab;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.mayfly.testkit.gitlab.admin.AdminApi;
import dev.mayfly.testkit.gitlab.admin.Faults;
import dev.mayfly.testkit.gitlab.admin.Switches;
import dev.mayfly.testkit.gitlab.git.GitHttp;
import dev.mayfly.testkit.gitlab.git.GitLfs;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.AccessToken;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.page.Pages;
import dev.mayfly.testkit.gitlab.pipeline.BuildFactory;
import dev.mayfly.testkit.gitlab.pipeline.BuildPayload;
import dev.mayfly.testkit.gitlab.pipeline.Builds;
import dev.mayfly.testkit.gitlab.pipeline.PipelineCreation;
import dev.mayfly.testkit.gitlab.pipeline.PipelineProcessing;
import dev.mayfly.testkit.gitlab.pipeline.PredefinedVariables;
import dev.mayfly.testkit.gitlab.rest.Authentication;
import dev.mayfly.testkit.gitlab.rest.HooksApi;
import dev.mayfly.testkit.gitlab.rest.JobsApi;
import dev.mayfly.testkit.gitlab.rest.PipelinesApi;
import dev.mayfly.testkit.gitlab.rest.Projects;
import dev.mayfly.testkit.gitlab.rest.ProjectsApi;
import dev.mayfly.testkit.gitlab.rest.RunnersApi;
import dev.mayfly.testkit.gitlab.rest.UsersApi;
import dev.mayfly.testkit.gitlab.runner.JobArtifacts;
import dev.mayfly.testkit.gitlab.runner.JobTraces;
import dev.mayfly.testkit.gitlab.runner.JobUpdates;
import dev.mayfly.testkit.gitlab.runner.JobsRequest;
import dev.mayfly.testkit.gitlab.runner.RunnersByToken;
import dev.mayfly.testkit.gitlab.webhook.Webhooks;
import dev.mayfly.testkit.tls.PrivateCa;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a GitLab server is to those who talk to it: git over HTTP, REST, the runner protocol, webhooks, a few pages. It
 * promises the fields, answers and orders of GitLab 19.1 that the tables and tests of this module name, each with its
 * source. State ends with the process; repositories, logs and artifacts stay in the data folder.
 */
public final class SimulatedGitLab implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SimulatedGitLab.class);

    private final HttpServer server;
    private final ExecutorService handlers;
    private final ScheduledThreadPoolExecutor sweeper = new ScheduledThreadPoolExecutor(1, daemon("gitlab-sweeper"));
    private final Instance instance;
    private final Webhooks webhooks;
    private final String rootToken;
    private final @Nullable Path caPem;

    private SimulatedGitLab(
            HttpServer server, Instance instance, Webhooks webhooks, String rootToken, @Nullable Path caPem) {
        this.server = server;
        this.instance = instance;
        this.webhooks = webhooks;
        this.rootToken = rootToken;
        this.caPem = caPem;
        this.handlers = Executors.newCachedThreadPool(daemon("gitlab-http"));
    }

    /** Starts it; it answers when this returns. */
    public static SimulatedGitLab start(SimulatedGitLabOptions options) throws IOException {
        // Without this every answer on a kept connection waits for the peer's delayed acknowledgement.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        Files.createDirectories(options.data());
        InetSocketAddress listen = options.listen();
        String address = listen.getAddress().getHostAddress();
        String name = options.hostname() == null ? address : options.hostname();
        @Nullable
        PrivateCa ca = options.plain()
                ? null
                : PrivateCa.openOrCreate(options.data().resolve("tls"), "Simulated GitLab private CA");
        HttpServer server = ca == null ? HttpServer.create(listen, 1024) : https(listen, ca, name, address);
        int port = server.getAddress().getPort();
        String url = (ca == null ? "http://" : "https://") + name + (port == (ca == null ? 80 : 443) ? "" : ":" + port);
        Instance instance = new Instance(url, options.data().toAbsolutePath(), options.clock());
        String rootToken = rootToken(options, instance);
        Switches switches = new Switches();
        switches.set(Switches.Setting.TWO_PHASE, options.twoPhase() ? 1 : 0);
        switches.set(Switches.Setting.ACKNOWLEDGE_SECONDS, options.acknowledgeSeconds());
        Webhooks webhooks = new Webhooks(instance, switches, options.trusted());
        SimulatedGitLab gitlab =
                new SimulatedGitLab(server, instance, webhooks, rootToken, ca == null ? null : ca.caPem());
        gitlab.serve(switches);
        return gitlab;
    }

    private void serve(Switches switches) {
        Faults faults = new Faults();
        Router router = new Router(instance.lock(), faults::before);
        PredefinedVariables predefined = new PredefinedVariables(instance);
        PipelineProcessing processing = new PipelineProcessing(instance, webhooks);
        BuildFactory factory = new BuildFactory(instance, predefined);
        Builds builds = new Builds(instance, webhooks, processing, factory);
        PipelineCreation creation = new PipelineCreation(instance, predefined, factory, processing, webhooks);
        Authentication authentication = new Authentication(instance, switches);
        Projects projects = new Projects(instance);
        new AdminApi(instance, switches, faults, webhooks, builds).routes(router);
        new JobsRequest(instance, switches, builds, new BuildPayload(instance, predefined)).routes(router);
        new JobTraces(instance, switches, builds).routes(router);
        new JobArtifacts(instance, switches).routes(router);
        new JobUpdates(instance, switches, builds).routes(router);
        new RunnersByToken(instance).routes(router);
        new RunnersApi(instance, switches, authentication).routes(router);
        new JobsApi(instance, authentication, builds).routes(router);
        new PipelinesApi(instance, authentication, creation, builds).routes(router);
        new HooksApi(instance, authentication, webhooks).routes(router);
        new ProjectsApi(instance, authentication, projects, builds).routes(router);
        new UsersApi(instance, authentication).routes(router);
        GitHttp git = new GitHttp(instance, authentication, projects, creation::pushed);
        git.routes(router);
        new GitLfs(git, instance.url()).routes(router);
        new Pages(instance).routes(router);
        server.createContext("/", router);
        server.setExecutor(handlers);
        server.start();
        ScheduledFuture<?> sweeping =
                sweeper.scheduleWithFixedDelay(() -> sweep(builds), 500, 500, TimeUnit.MILLISECONDS);
        log.info(
                "{} answers at {} ({})",
                instance.url(),
                server.getAddress(),
                sweeping.isDone() ? "not swept" : "swept");
    }

    private void sweep(Builds builds) {
        try {
            instance.locked(() -> {
                builds.sweep();
                return true;
            });
        } catch (RuntimeException e) {
            // An exception out of here would end the sweeping for good.
            log.error("a sweep over the builds failed", e);
        }
    }

    private static HttpServer https(InetSocketAddress listen, PrivateCa ca, String name, String address)
            throws IOException {
        // Made before the port is bound: a peer that connects to a server that can't answer yet would hang.
        Path keyStore = ca.issueServerCertificate("server", List.of(name), List.of(address));
        HttpsServer server = HttpsServer.create(listen, 1024);
        server.setHttpsConfigurator(new HttpsConfigurator(ca.serverContext(keyStore)));
        return server;
    }

    private static String rootToken(SimulatedGitLabOptions options, Instance instance) throws IOException {
        Path file = options.data().resolve("root-token");
        String token;
        if (options.rootToken() != null) {
            token = options.rootToken();
        } else if (Files.exists(file)) {
            token = Files.readString(file).strip();
        } else {
            token = instance.newToken("root", "glpat-");
        }
        instance.rememberToken("root", token);
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, token + "\n", StandardCharsets.UTF_8);
        instance.accessTokens()
                .put(
                        token,
                        new AccessToken(
                                instance.nextId("token"),
                                "root",
                                token,
                                instance.root(),
                                List.of("api"),
                                null,
                                50,
                                instance.now()));
        return token;
    }

    private static java.util.concurrent.ThreadFactory daemon(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Its URL, as it stands in everything it sends; no slash at its end. */
    public String url() {
        return instance.url();
    }

    /** Where the switches are that no real GitLab has. */
    public String adminUrl() {
        return instance.url() + AdminApi.PATH;
    }

    /** The certificate to trust, PEM; null for plain http. */
    public @Nullable Path caPem() {
        return caPem;
    }

    public int port() {
        return server.getAddress().getPort();
    }

    /** An access token that may do everything. */
    public String rootToken() {
        return rootToken;
    }

    @Override
    public void close() {
        server.stop(0);
        sweeper.shutdownNow();
        webhooks.close();
        handlers.shutdownNow();
    }
}
