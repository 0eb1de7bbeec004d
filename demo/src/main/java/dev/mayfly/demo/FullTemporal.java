package dev.mayfly.demo;

import dev.mayfly.testkit.PostgresAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The Temporal server that production runs, with a PostgreSQL of its own, in place of the development server: what the
 * composition starts, with its scripts and its dynamic configuration. It has no web UI.
 *
 * @param programs folder of the programs {@code server} and {@code sql}, as {@code go install} makes them of Temporal's
 *     {@code cmd/server} and {@code cmd/tools/sql}
 * @param address where it listens
 */
record FullTemporal(Path programs, DemoOptions options, Path work, String address, DemoDatabase database) {

    /** Names the folder of its programs; unset, the cluster has the development server. */
    private static final String VARIABLE = "MAYFLY_TEMPORAL_SERVER";

    /** As the composition has it. */
    private static final int SHARDS = 512;

    private static final List<String> SERVICES = List.of("frontend", "history", "matching", "worker");

    /** The one that the environment names; null if it names none. */
    static @Nullable FullTemporal given(DemoOptions options, Path work, String address) {
        if (!isGiven()) {
            return null;
        }
        return new FullTemporal(
                programs(Path.of(System.getenv(VARIABLE))),
                options,
                work,
                address,
                DemoDatabase.own(work.resolve("postgres")));
    }

    static boolean isGiven() {
        return System.getenv(VARIABLE) != null;
    }

    private static Path programs(Path folder) {
        for (String program : List.of("server", "sql")) {
            if (!Files.isExecutable(folder.resolve(program))) {
                throw new IllegalStateException("%s=%s has no program %s; `bin/bench --help` tells how to build it"
                        .formatted(VARIABLE, folder, program));
            }
        }
        return folder.toAbsolutePath();
    }

    /** Starts PostgreSQL and makes the tables; what was there before stays. */
    void prepare(int port) {
        boolean isNew = !Files.exists(work.resolve("postgres"));
        database.start();
        PostgresAddress server = database.server();
        if (isNew) {
            server.execute("create database temporal");
            server.execute("create database temporal_visibility");
        }
        Path password = work.resolve("database-password");
        Servers.write(password, server.password());
        link(work.resolve("bin/temporal-sql-tool"), programs.resolve("sql"));
        script(
                "temporal-schema.sh",
                work.resolve("bin"),
                Map.of(
                        "SQL_PLUGIN", "postgres12",
                        "SQL_HOST", server.host(),
                        "SQL_PORT", Integer.toString(server.port()),
                        "SQL_USER", server.user(),
                        "SQL_PASSWORD_FILE", password.toString()));
        Servers.write(work.resolve("server.yml"), configuration(server, port));
    }

    List<String> command() {
        return List.of(
                programs.resolve("server").toString(),
                "--config-file",
                work.resolve("server.yml").toString(),
                "--allow-no-auth",
                "start");
    }

    void ensureNamespace(int port) {
        Path cli = Objects.requireNonNull(options.temporal().getParent(), "a program is in a folder");
        script(
                "temporal-namespace.sh",
                cli,
                Map.of("TEMPORAL_ADDRESS", address + ":" + port, "TEMPORAL_NAMESPACE", "mayfly", "RETENTION", "30d"));
    }

    /** Runs one of the composition's scripts, with the programs of this folder. */
    private void script(String name, Path programs, Map<String, String> environment) {
        Map<String, String> all = new HashMap<>(environment);
        all.put("PATH", programs + ":" + System.getenv("PATH"));
        Shell.run(
                all,
                List.of("sh", options.root().resolve("deploy").resolve(name).toString()));
    }

    private String configuration(PostgresAddress server, int port) {
        StringBuilder text = new StringBuilder("""
                log: {stdout: true, level: warn}
                persistence:
                  numHistoryShards: %d
                  defaultStore: default
                  visibilityStore: visibility
                  datastores:
                    default: {sql: {databaseName: temporal, %2$s}}
                    visibility: {sql: {databaseName: temporal_visibility, %2$s}}
                global:
                  membership: {maxJoinDuration: 30s, broadcastAddress: "%3$s"}
                clusterMetadata:
                  enableGlobalNamespace: false
                  failoverVersionIncrement: 10
                  masterClusterName: active
                  currentClusterName: active
                  clusterInformation:
                    active: {enabled: true, initialFailoverVersion: 1, rpcName: frontend, rpcAddress: "%3$s:%4$d"}
                publicClient: {hostPort: "%3$s:%4$d"}
                dynamicConfigClient: {filepath: "%5$s", pollInterval: 60s}
                services:
                """.formatted(
                        SHARDS,
                        "pluginName: postgres12, connectAddr: \"%s:%d\", connectProtocol: tcp, user: %s, password: \"%s\", maxConns: 20, maxIdleConns: 20"
                                .formatted(server.host(), server.port(), server.user(), server.password()),
                        address,
                        port,
                        options.root().resolve("config/temporal-dynamic-config.yml")));
        for (int i = 0; i < SERVICES.size(); i++) {
            text.append("  %s: {rpc: {grpcPort: %d, membershipPort: %d, bindOnIP: \"%s\"}}\n"
                    .formatted(SERVICES.get(i), port + i, port - 300 + i, address));
        }
        return text.toString();
    }

    private static void link(Path link, Path program) {
        try {
            Servers.createFolderOf(link);
            Files.deleteIfExists(link);
            Files.createSymbolicLink(link, program);
        } catch (IOException e) {
            throw new UncheckedIOException("can't link " + link, e);
        }
    }
}
