package dev.mayfly.demo;

import dev.mayfly.testkit.tls.PrivateCa;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The container registry on GitLab's machine, at the port where GitLab has its own: Debian's {@code docker-registry}
 * over the images that {@code demo/images/build.py} made, with a certificate of the simulated GitLab's authority.
 * {@link DemoCluster} starts and ends it; pushed images last as long as the cluster's work folder.
 */
final class ContainerRegistry implements AutoCloseable {

    static final int PORT = 5050;
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final ServerProcess process;
    private final String address;

    private ContainerRegistry(ServerProcess process, String address) {
        this.process = process;
        this.address = address;
    }

    /** Writes what it needs into the work folder, and makes it ready to start. */
    static ContainerRegistry of(DemoOptions options, ClusterFiles files, DemoNetwork network) {
        String address = network.address(DemoCluster.GITLAB_MACHINE);
        Path folder = options.work().resolve("registry");
        copy(options.containerImages().resolve("storage"), folder.resolve("storage"));
        writeCertificate(files, address, folder);
        Servers.write(folder.resolve("config.yml"), """
                version: 0.1
                log: {level: warn}
                storage:
                  filesystem: {rootdirectory: %1$s/storage}
                http:
                  addr: %2$s:%3$d
                  secret: %4$s
                  tls: {certificate: %1$s/certificate.pem, key: %1$s/key.pem}
                """.formatted(
                        folder, address, PORT, Servers.secretFile(folder.resolve("secret"), 32)));
        String program = options.containerImages().resolve("docker-registry").toString();
        List<String> command =
                List.of(program, "serve", folder.resolve("config.yml").toString());
        return new ContainerRegistry(
                new ServerProcess(
                        "registry",
                        DemoNetwork.inside(network.namespace("gitlab"), command),
                        Map.of(),
                        files.log("registry")),
                address);
    }

    void start() {
        process.start(() -> Servers.answers(address, PORT), PATIENCE);
    }

    @Override
    public void close() {
        process.close();
    }

    private static void writeCertificate(ClusterFiles files, String address, Path folder) {
        PrivateCa ca = PrivateCa.openOrCreate(files.gitlab().resolve("tls"), "Simulated GitLab private CA");
        Path store = ca.issueServerCertificate("registry", List.of(DemoCluster.GITLAB_NAME), List.of(address));
        try (InputStream in = Files.newInputStream(store)) {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(in, ca.password());
            StringBuilder chain = new StringBuilder();
            for (Certificate certificate : keys.getCertificateChain("registry")) {
                chain.append(pem("CERTIFICATE", certificate.getEncoded()));
            }
            Servers.write(folder.resolve("certificate.pem"), chain.toString());
            Servers.write(
                    folder.resolve("key.pem"),
                    pem("PRIVATE KEY", keys.getKey("registry", ca.password()).getEncoded()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + store, e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot use " + store, e);
        }
    }

    private static String pem(String what, byte[] content) {
        String text = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(content);
        return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n".formatted(what, text);
    }

    private static void copy(Path from, Path to) {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : (Iterable<Path>) all::iterator) {
                Path target = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(path, target);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy " + from + " to " + to, e);
        }
    }
}
