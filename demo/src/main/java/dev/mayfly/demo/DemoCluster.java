package dev.mayfly.demo;

import dev.mayfly.demo.Machines.ControlPlanePorts;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A whole installation on this machine. Each server is a process of its own that can be killed and started again; what
 * survives is what would survive on real machines. {@link #close()} leaves nothing: processes, namespaces, bridge.
 */
final class DemoCluster implements AutoCloseable {

    static final String GITLAB_NAME = "gitlab.mayfly.test";
    static final int GITLAB_MACHINE = 2;
    static final int TEMPORAL_MACHINE = 3;
    private static final int TEMPORAL_PORT = 7233;
    private static final int TEMPORAL_UI_PORT = 8233;
    private static final int FIRST_HOST = 11;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final DemoOptions options;
    private final Consumer<String> progress;
    private final DemoNetwork network;
    private final ClusterFiles files;
    private final ControlPlanePorts ports;
    private final List<ServerProcess> agents = new ArrayList<>();
    private final int postgresPort = Servers.freePort("127.0.0.1");
    private @Nullable EmbeddedPostgres postgres;
    private @Nullable ServerProcess temporal;
    private @Nullable ServerProcess gitlab;
    private @Nullable ServerProcess names;
    private @Nullable ServerProcess api;
    private @Nullable String installation;
    private @Nullable JsonApi controlPlane;
    private @Nullable GitLabUser gitlabUser;

    private DemoCluster(DemoOptions options, Consumer<String> progress) {
        this.options = options;
        this.progress = progress;
        this.network = DemoNetwork.create();
        this.files = new ClusterFiles(options.work());
        String here = network.controlPlane();
        this.ports = new ControlPlanePorts(
                options.apiPort() == 0 ? Servers.freePort(here) : options.apiPort(),
                Servers.freePort("127.0.0.1"),
                TEMPORAL_PORT,
                options.temporalUiPort() == 0 ? TEMPORAL_UI_PORT : options.temporalUiPort());
    }

    /** Starts everything; {@code progress} gets a line per step. Takes back what it started if a step fails. */
    static DemoCluster start(DemoOptions options, Consumer<String> progress) {
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
        Thread database = new Thread(this::startPostgres, "postgres");
        database.start();
        network.addMachine("temporal", TEMPORAL_MACHINE);
        startTemporal();
        startGitLab();
        join(database);
        startApi();
        for (int host = 1; host <= options.hosts(); host++) {
            agents.add(newAgent(host));
        }
        // All at once, for each one tries at length whether KVM works.
        agents.forEach(ServerProcess::launch);
        for (int host = 1; host <= options.hosts(); host++) {
            awaitAgent(host);
        }
    }

    void startPostgres() {
        progress.accept("PostgreSQL");
        try {
            postgres = EmbeddedPostgres.builder()
                    .setPort(postgresPort)
                    .setDataDirectory(files.postgres().toFile())
                    .setCleanDataDirectory(false)
                    .setServerConfig("fsync", "on")
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("PostgreSQL does not start", e);
        }
    }

    void startTemporal() {
        progress.accept("Temporal with its web UI");
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
                bin("simulated-gitlab"), address, GITLAB_NAME, files.gitlab(), options.twoPhase());
        gitlab = server("gitlab", DemoNetwork.inside(namespace, command), withNames());
        gitlab.start(() -> files.hasGitLabRootToken() && Servers.answers(address, 443), PATIENCE);
        Servers.write(files.secret("gitlab-token"), files.gitlabRootToken());
    }

    void startApi() {
        progress.accept("the control plane");
        Path keyStore = files.ca()
                .issueServerCertificate("control-plane", List.of("localhost"), List.of(network.controlPlane()));
        Path config = files.apiConfig();
        String jdbcUrl = "jdbc:postgresql://localhost:%d/postgres".formatted(postgresPort);
        Servers.write(config, Machines.api(options, network, ports, jdbcUrl, keyStore, files.gitlabCa()));
        api = server("api", List.of(bin("mayfly").toString(), "server", config.toString()), withNames());
        api.start(() -> controlPlane().status("/api/v1/ready") == 200, PATIENCE);
        progress.accept("installation " + installation());
    }

    private ServerProcess newAgent(int host) {
        String namespace = network.addMachine("h" + host, FIRST_HOST + host - 1);
        Path config = files.agentConfig(host);
        Servers.write(
                config, Machines.agent(options, network, ports, host, files.ca().caPem()));
        return server(
                "agent-" + host,
                DemoNetwork.inside(namespace, List.of(bin("agent").toString(), "--config", config.toString())),
                withNames());
    }

    /** Starts or restarts the agent of this host (from 1) and waits until the control plane counts it as ready. */
    void startAgent(int host) {
        agents.get(host - 1).launch();
        awaitAgent(host);
    }

    private void awaitAgent(int host) {
        progress.accept("the agent of host-" + host);
        agents.get(host - 1).awaitReady(() -> isReady("host-" + host), PATIENCE);
    }

    private boolean isReady(String hostId) {
        String path = "/api/v1/hosts/" + hostId;
        return controlPlane().status(path) == 200
                && controlPlane().get(path).path("state").asText().equals("READY");
    }

    private ServerProcess server(String name, List<String> command, Map<String, String> environment) {
        return new ServerProcess(name, command, environment, files.log(name));
    }

    private Map<String, String> withNames() {
        return Map.of("JDK_JAVA_OPTIONS", "-Djdk.net.hosts.file=" + files.hosts());
    }

    private Path bin(String name) {
        return options.root().resolve("bin").resolve(name);
    }

    void killControlPlane() {
        Objects.requireNonNull(api).kill();
    }

    void killTemporal() {
        Objects.requireNonNull(temporal).kill();
    }

    /** Stops PostgreSQL at once, as an immediate shutdown does; what was committed stays. */
    void stopPostgres() {
        close(postgres);
        postgres = null;
    }

    /** Starts an emptied Temporal, as after a lost disk or a wrong address. The one before must have ended. */
    void startEmptyTemporal() {
        Servers.deleteFilesBeginningWith(files.temporalDatabase());
        startTemporal();
    }

    ServerProcess agent(int host) {
        return agents.get(host - 1);
    }

    DemoOptions options() {
        return options;
    }

    DemoNetwork network() {
        return network;
    }

    String jdbcUrl() {
        return "jdbc:postgresql://localhost:%d/postgres?user=postgres&password=postgres".formatted(postgresPort);
    }

    String temporalTarget() {
        return Machines.temporalTarget(network, ports);
    }

    String apiUrl() {
        return "https://%s:%d".formatted(network.controlPlane(), ports.api());
    }

    String temporalUiUrl() {
        return "http://%s:%d".formatted(network.address(TEMPORAL_MACHINE), ports.temporalUi());
    }

    String gitlabUrl() {
        return "https://" + network.address(GITLAB_MACHINE);
    }

    ClusterFiles files() {
        return files;
    }

    /** The five characters that all names of this installation's slots begin with. */
    String installation() {
        String id = installation;
        if (id == null) {
            id = controlPlane().get("/api/v1/version").get("installation").asText();
            installation = id;
        }
        return id;
    }

    /** Interfaces in the hosts' namespaces whose name begins so. */
    int hostInterfaces(String prefix) {
        int count = 0;
        for (int host = 1; host <= options.hosts(); host++) {
            String links = Shell.run("ip", "-n", network.name() + "-h" + host, "-o", "link");
            count += (int)
                    links.lines().filter(line -> line.contains(" " + prefix)).count();
        }
        return count;
    }

    /** Waits until nothing of any VM is left; returns what is left when patience ends. */
    Leftovers awaitNothingLeft(Duration patience) {
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
            client = new JsonApi(
                    URI.create(apiUrl()),
                    files.ca().caPem(),
                    "Authorization",
                    "Bearer " + files.readSecret("api-token"));
            controlPlane = client;
        }
        return client;
    }

    GitLabUser gitlabUser() {
        GitLabUser user = gitlabUser;
        if (user == null) {
            user = new GitLabUser(
                    GITLAB_NAME, network.address(GITLAB_MACHINE), files.gitlabCa(), files.gitlabRootToken());
            gitlabUser = user;
        }
        return user;
    }

    /** Creates a project in GitLab that tells the control plane of its jobs. */
    long createProject(String name) {
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
        agents.forEach(ServerProcess::close);
        if (installation != null) {
            Leftovers.remove(installation);
        }
        close(api);
        close(gitlab);
        close(names);
        close(temporal);
        close(postgres);
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

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while starting", e);
        }
    }
}
