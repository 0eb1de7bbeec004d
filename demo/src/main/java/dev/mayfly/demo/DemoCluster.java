package dev.mayfly.demo;

import dev.mayfly.demo.Machines.ControlPlanePorts;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A whole installation on this machine. Each server is a process of its own that can be killed and started again; what
 * survives is what would survive on real machines. {@link #close()} leaves nothing: processes, namespaces, bridge.
 */
public final class DemoCluster implements AutoCloseable {

    public static final String GITLAB_NAME = "gitlab.mayfly.test";
    public static final int GITLAB_MACHINE = 2;
    static final int TEMPORAL_MACHINE = 3;
    private static final int TEMPORAL_PORT = 7233;
    private static final int TEMPORAL_UI_PORT = 8233;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final DemoOptions options;
    private final Consumer<String> progress;
    private final DemoNetwork network;
    private final ClusterFiles files;
    private final ControlPlanePorts ports;
    private final DemoHosts hosts;
    private final DemoDatabase database;
    private final @Nullable FullTemporal fullTemporal;
    private @Nullable ServerProcess temporal;
    private @Nullable ServerProcess gitlab;
    private @Nullable ServerProcess names;
    private @Nullable ContainerRegistry registry;
    private @Nullable ServerProcess api;
    private @Nullable ServerProcess secondApi;
    private @Nullable String installation;
    private @Nullable JsonApi controlPlane;
    private @Nullable GitLabUser gitlabUser;

    private DemoCluster(DemoOptions options, Consumer<String> progress) {
        this.options = options;
        this.progress = progress;
        this.network = DemoNetwork.create();
        this.files = new ClusterFiles(options.work());
        this.hosts = new DemoHosts(network, this::controlPlane, progress);
        this.database = DemoDatabase.in(files.postgres(), "mayfly_" + network.name());
        String here = network.controlPlane();
        this.fullTemporal = FullTemporal.given(options, files.fullTemporal(), here);
        this.ports = new ControlPlanePorts(
                options.apiPort() == 0 ? Servers.freePort(here) : options.apiPort(),
                Servers.freePort("127.0.0.1"),
                TEMPORAL_PORT,
                options.temporalUiPort() == 0 ? TEMPORAL_UI_PORT : options.temporalUiPort());
    }

    /** Starts everything; {@code progress} gets a line per step. Takes back what it started if a step fails. */
    public static DemoCluster start(DemoOptions options, Consumer<String> progress) {
        DemoCluster cluster = new DemoCluster(options, progress);
        try {
            cluster.startAll();
            return cluster;
        } catch (RuntimeException | Error e) {
            cluster.close();
            throw e;
        }
    }

    private void startAll() {
        files.writeSecrets(options.hosts());
        FutureTask<Void> postgres = new FutureTask<>(this::startPostgres, null);
        new Thread(postgres, "postgres").start();
        startTemporal();
        startGitLab();
        await(postgres);
        startApi();
        hosts.start(options, ports, files, withNames());
    }

    void startPostgres() {
        progress.accept("PostgreSQL");
        database.start();
    }

    void startTemporal() {
        if (fullTemporal == null) {
            startDevelopmentTemporal();
            return;
        }
        progress.accept("the full Temporal server");
        fullTemporal.prepare(ports.temporal());
        temporal = server("temporal", fullTemporal.command(), Map.of());
        temporal.start(() -> Servers.answers(fullTemporal.address(), ports.temporal()), PATIENCE);
        fullTemporal.ensureNamespace(ports.temporal());
    }

    private void startDevelopmentTemporal() {
        progress.accept("Temporal with its web UI");
        if (temporal == null) {
            network.addMachine("temporal", TEMPORAL_MACHINE);
        }
        String address = network.address(TEMPORAL_MACHINE);
        List<String> command = Commands.temporal(options.temporal(), ports, files.temporalDatabase());
        temporal = server("temporal", DemoNetwork.inside(network.namespace("temporal"), command), Map.of());
        temporal.start(
                () -> Servers.answers(address, ports.temporal()) && Servers.answers(address, ports.temporalUi()),
                PATIENCE);
    }

    private void startGitLab() {
        progress.accept("the simulated GitLab, https://" + GITLAB_NAME);
        String address = network.address(GITLAB_MACHINE);
        String namespace = network.addMachine("gitlab", GITLAB_MACHINE);
        names = server("names", DemoNetwork.inside(namespace, Commands.nameServer(address, GITLAB_NAME)), Map.of());
        names.start(() -> true, PATIENCE);
        // GitLab's too: without it the JDK's server asks a name server, which is not there, for each peer's name.
        Servers.write(files.hosts(), "127.0.0.1 localhost\n%s %s\n".formatted(address, GITLAB_NAME));
        List<String> command = Commands.simulatedGitLab(
                options.program("simulated-gitlab"), address, GITLAB_NAME, files.gitlab(), options.twoPhase());
        gitlab = server("gitlab", DemoNetwork.inside(namespace, command), withNames());
        gitlab.start(() -> files.hasGitLabRootToken() && Servers.answers(address, 443), PATIENCE);
        if (options.hasVms()) {
            registry = ContainerRegistry.of(options, files, network);
            registry.start();
        }
        Servers.write(files.secret("gitlab-token"), files.gitlabRootToken());
    }

    void startApi() {
        progress.accept("the control plane");
        api = apiServer("api", ports);
        api.start(() -> controlPlane().status("/api/v1/ready") == 200, PATIENCE);
        progress.accept("installation " + installation());
    }

    /** A second control plane beside the first; webhooks and agents go on to call the first. */
    void startSecondApi() {
        progress.accept("a second control plane");
        ControlPlanePorts its = new ControlPlanePorts(
                Servers.freePort(network.controlPlane()),
                Servers.freePort("127.0.0.1"),
                ports.temporal(),
                ports.temporalUi());
        secondApi = apiServer("api-2", its);
        JsonApi client = controlPlane("https://%s:%d".formatted(network.controlPlane(), its.api()));
        secondApi.start(() -> client.status("/api/v1/ready") == 200, PATIENCE);
    }

    private ServerProcess apiServer(String name, ControlPlanePorts its) {
        Path keyStore = files.ca()
                .issueServerCertificate("control-plane", List.of("localhost"), List.of(network.controlPlane()));
        Path config = files.apiConfig(name);
        Servers.write(files.secret("database"), database.password());
        Servers.write(config, Machines.api(options, network, its, database, keyStore, files.gitlabCa()));
        return server(name, List.of(options.program("mayfly"), "server", config.toString()), withNames());
    }

    private ServerProcess server(String name, List<String> command, Map<String, String> environment) {
        return new ServerProcess(name, command, environment, files.log(name));
    }

    private Map<String, String> withNames() {
        return Map.of("JDK_JAVA_OPTIONS", "-Djdk.net.hosts.file=" + files.hosts());
    }

    void killControlPlane() {
        Objects.requireNonNull(api).kill();
    }

    void killSecondControlPlane() {
        Objects.requireNonNull(secondApi).kill();
    }

    void killTemporal() {
        Objects.requireNonNull(temporal).kill();
    }

    /** Starts an emptied Temporal, as after a lost disk or a wrong address. The one before must have ended. */
    void startEmptyTemporal() {
        Servers.deleteFilesBeginningWith(files.temporalDatabase());
        startTemporal();
    }

    public DemoHosts hosts() {
        return hosts;
    }

    public DemoOptions options() {
        return options;
    }

    public DemoNetwork network() {
        return network;
    }

    public DemoDatabase database() {
        return database;
    }

    /** The servers' and the first agent's process ids by what they are; PostgreSQL only if it is ours. */
    public Map<String, Long> processes() {
        Map<String, Long> processes = new LinkedHashMap<>();
        processes.put("Temporal", Objects.requireNonNull(temporal).pid());
        if (fullTemporal != null) {
            fullTemporal.database().pid().ifPresent(pid -> processes.put("Temporal's PostgreSQL", pid));
        }
        processes.put("control plane", Objects.requireNonNull(api).pid());
        database.pid().ifPresent(pid -> processes.put("PostgreSQL", pid));
        processes.put("simulated GitLab", Objects.requireNonNull(gitlab).pid());
        processes.put(
                options.together() ? "all agents" : "agent", hosts.agent(1).pid());
        return processes;
    }

    public String temporalTarget() {
        return Machines.temporalTarget(network, ports);
    }

    String apiUrl() {
        return "https://%s:%d".formatted(network.controlPlane(), ports.api());
    }

    /** Of the page that lists the jobs' workflows: the UI itself opens on a namespace that has none. */
    String temporalUiUrl() {
        return "http://%s:%d/namespaces/mayfly/workflows"
                .formatted(network.address(TEMPORAL_MACHINE), ports.temporalUi());
    }

    /** Where jobs pull images from and push them to. */
    static String registry() {
        return GITLAB_NAME + ":" + ContainerRegistry.PORT;
    }

    String gitlabUrl() {
        return "https://" + network.address(GITLAB_MACHINE);
    }

    public ClusterFiles files() {
        return files;
    }

    /** The five characters that all names of this installation's slots begin with. */
    public String installation() {
        String id = installation;
        if (id == null) {
            id = controlPlane().get("/api/v1/version").get("installation").asText();
            installation = id;
        }
        return id;
    }

    /** Waits until nothing of any VM is left; returns what is left when patience ends. */
    public Leftovers awaitNothingLeft(Duration patience) {
        Leftovers[] left = new Leftovers[1];
        try {
            Waiting.until("nothing is left", patience, () -> {
                left[0] = Leftovers.count(this, installation(), gitlabUser().runnersInAll());
                return left[0].isNothing();
            });
        } catch (AssertionError somethingIsLeft) {
            progress.accept("left: " + left[0]);
        }
        return left[0];
    }

    /** The control plane's REST API, as an administrator. */
    JsonApi controlPlane() {
        JsonApi client = controlPlane;
        if (client == null) {
            client = controlPlane(apiUrl());
            controlPlane = client;
        }
        return client;
    }

    private JsonApi controlPlane(String url) {
        return new JsonApi(
                URI.create(url), files.ca().caPem(), "Authorization", "Bearer " + files.readSecret("api-token"));
    }

    public GitLabUser gitlabUser() {
        GitLabUser user = gitlabUser;
        if (user == null) {
            user = new GitLabUser(
                    GITLAB_NAME,
                    network.address(GITLAB_MACHINE),
                    files.hosts(),
                    files.gitlabCa(),
                    files.gitlabRootToken());
            gitlabUser = user;
        }
        return user;
    }

    /** Creates a project in GitLab that tells the control plane of its jobs. */
    public long createProject(String name) {
        return gitlabUser()
                .createProject(
                        name,
                        apiUrl() + "/webhooks/gitlab/demo",
                        files.readSecret("webhook-token"),
                        files.readSecret("webhook-signing-token"));
    }

    /** Ends everything, hosts first; VMs outlive their agents by design, but not their cluster. */
    @Override
    public void close() {
        boolean unused = Thread.interrupted(); // what ended the work must not cut its clean-up short
        hosts.close();
        if (installation != null) {
            Leftovers.remove(installation);
        }
        close(secondApi);
        close(api);
        close(gitlab);
        close(registry);
        close(names);
        close(temporal);
        close(fullTemporal == null ? null : fullTemporal.database());
        database.close();
        network.close();
    }

    private static void close(@Nullable AutoCloseable server) {
        if (server == null) {
            return;
        }
        try {
            server.close();
        } catch (Exception e) {
            throw new IllegalStateException("a server did not end: " + e.getMessage(), e);
        }
    }

    /** A database that does not start must end the start, not only its thread. */
    private static void await(FutureTask<Void> step) {
        try {
            step.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while starting", e);
        }
    }
}
