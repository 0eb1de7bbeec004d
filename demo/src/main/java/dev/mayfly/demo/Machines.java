package dev.mayfly.demo;

import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;

/** The configuration files of a cluster's servers: what a person would write for the same machines. */
final class Machines {

    private static final int HOST_CPUS = 8;
    private static final int HOST_MEMORY_MIB = 10 * 1024;
    /** Agents on one machine have a port each, above this. */
    private static final int FIRST_RELAY_PORT = 20_000;

    private Machines() {}

    /** {@code config/api.yml} of the control plane. */
    static String api(
            DemoOptions options,
            DemoNetwork network,
            ControlPlanePorts ports,
            DemoDatabase database,
            Path keyStore,
            Path gitlabCa) {
        Path secrets = options.work().resolve("secrets");
        return """
                server:
                  applicationConnectors:
                    - type: https
                      bindHost: %1$s
                      port: %2$d
                      keyStorePath: %3$s
                      keyStoreType: PKCS12
                      keyStorePassword: changeit
                      validateCerts: false
                  adminConnectors:
                    - type: http
                      bindHost: 127.0.0.1
                      port: %4$d
                  requestLog:
                    appenders: []
                logging:
                  level: INFO
                  appenders:
                    - type: console
                      %15$s
                database:
                  url: %5$s
                  user: %13$s
                  password: file:%6$s/database
                temporal:
                  target: %7$s
                  namespace: mayfly
                gitlab:
                  - name: demo
                    url: https://%8$s
                    caFile: %9$s
                    allow: ["%14$s"]
                    token: file:%6$s/gitlab-token
                    webhookToken: file:%6$s/webhook-token
                    signingToken: file:%6$s/webhook-signing-token
                agents:
                  credentialsDir: %6$s/hosts
                  lease:%10$s
                timeouts:%11$s
                sweeper:%12$s
                tags:
                  diskMib: 4096
                sealKey: file:%6$s/seal-key
                apiToken: file:%6$s/api-token
                """.formatted(
                        network.controlPlane(),
                        ports.api(),
                        keyStore,
                        ports.admin(),
                        database.url(),
                        secrets,
                        temporalTarget(network, ports),
                        DemoCluster.GITLAB_NAME,
                        gitlabCa,
                        yaml(options.times().lease(), "    "),
                        yaml(options.times().timeouts(), "  "),
                        yaml(options.times().sweeper(), "  "),
                        database.user(),
                        DemoCluster.registry(),
                        // As an agent takes it from its environment.
                        "json".equals(System.getenv("MAYFLY_LOG_FORMAT")) ? "layout: {type: json}" : "");
    }

    /** {@code config/agent.yml} of one host. */
    static String agent(
            DemoOptions options, DemoNetwork network, ControlPlanePorts ports, int host, ClusterFiles files) {
        return """
                hostId: host-%1$d
                stateDir: %2$s/host-%1$d/state
                runDir: %15$s/host-%1$d
                controlPlane:
                  url: https://%3$s:%4$d
                  caFile: %5$s
                  credentialFile: %2$s/secrets/hosts/host-%1$d
                temporal:
                  target: %6$s
                  namespace: mayfly
                driver: %7$s
                image: %8$s
                nativeDir: %9$s
                capacity:
                  cpus: %10$d
                  memoryMib: %11$d
                  diskMib: 200000
                addressPool: %12$s
                uidRange: %13$s
                guest:
                  resolvers: [%14$s]
                  helperImage: %20$s/test/gitlab-runner-helper:1
                timeouts:
                  kvmProbe: 8s%16$s
                templates:
                  most: %18$d
                %19$s%21$ssimulated:%17$s
                """.formatted(
                        host,
                        options.work(),
                        network.controlPlane(),
                        ports.api(),
                        files.ca().caPem(),
                        temporalTarget(network, ports),
                        options.driver(),
                        options.hasVms() ? files.image(host) : options.image(),
                        options.nativePrograms(),
                        HOST_CPUS,
                        HOST_MEMORY_MIB,
                        network.addressPool(options.together() ? 1 : host),
                        network.uidRange(options.together() ? 1 : host),
                        network.address(DemoCluster.GITLAB_MACHINE),
                        network.runFolder(),
                        lines(options.times().agent(), "  "),
                        yaml(options.times().simulated(), "  "),
                        options.templates(),
                        options.hasVms() ? registry(options, network, files) : "",
                        DemoCluster.registry(),
                        options.together() ? "relayPort: %d\n".formatted(FIRST_RELAY_PORT + host) : "");
    }

    /** Docker Hub is not reached from everywhere: GitLab's registry stands in its place. */
    private static String registry(DemoOptions options, DemoNetwork network, ClusterFiles files) {
        return """
                registry:
                  preload: %s
                  upstreams: ["docker.io=https://%s:%d"]
                  caFile: %s
                """.formatted(
                        options.containerImages().resolve("preload"),
                        network.address(DemoCluster.GITLAB_MACHINE),
                        ContainerRegistry.PORT,
                        files.gitlabCa());
    }

    private static String yaml(Map<String, String> values, String indent) {
        return values.isEmpty() ? " {}" : lines(values, indent);
    }

    private static String lines(Map<String, String> values, String indent) {
        return values.entrySet().stream()
                .map(entry -> "\n" + indent + entry.getKey() + ": " + entry.getValue())
                .collect(Collectors.joining());
    }

    static String temporalTarget(DemoNetwork network, ControlPlanePorts ports) {
        // The full server stands beside the control plane: its database listens on this machine alone.
        String address =
                FullTemporal.isGiven() ? network.controlPlane() : network.address(DemoCluster.TEMPORAL_MACHINE);
        return address + ":" + ports.temporal();
    }

    /** The ports that the control plane's machine listens on. */
    record ControlPlanePorts(int api, int admin, int temporal, int temporalUi) {}
}
