package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reached by name over https, as a server with a private CA is. */
class TlsTest {
    @TempDir
    Path work;

    @Test
    void whoTrustsItsCaIsAnsweredByNameAndAddressAndNobodyElse() throws Exception {
        SimulatedGitLabOptions options =
                SimulatedGitLabOptions.plainOnLoopback(work).withTls("localhost");
        try (SimulatedGitLab gitlab = SimulatedGitLab.start(options)) {
            assertThat(gitlab.url()).isEqualTo("https://localhost:" + gitlab.port());
            HttpClient client =
                    HttpClient.newBuilder().sslContext(trusting(caOf(gitlab))).build();
            assertThat(status(client, gitlab, gitlab.url())).isEqualTo(200);
            assertThat(status(client, gitlab, "https://127.0.0.1:" + gitlab.port()))
                    .isEqualTo(200);
            assertThatThrownBy(() -> status(HttpClient.newHttpClient(), gitlab, gitlab.url()))
                    .isInstanceOf(SSLHandshakeException.class);
        }
    }

    @Test
    void theCaAndRootsTokenOutliveTheServer() throws IOException {
        SimulatedGitLabOptions options =
                SimulatedGitLabOptions.plainOnLoopback(work).withTls("localhost");
        String certificate;
        String token;
        try (SimulatedGitLab gitlab = SimulatedGitLab.start(options)) {
            certificate = Files.readString(caOf(gitlab));
            token = gitlab.rootToken();
        }
        try (SimulatedGitLab gitlab = SimulatedGitLab.start(options)) {
            assertThat(caOf(gitlab)).hasContent(certificate);
            assertThat(gitlab.rootToken()).isEqualTo(token);
        }
        assertThat(work.resolve("root-token")).hasContent(token);
    }

    private static Path caOf(SimulatedGitLab gitlab) {
        return Objects.requireNonNull(gitlab.caPem(), "served over https");
    }

    private static int status(HttpClient client, SimulatedGitLab gitlab, String url)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/api/v4/version"))
                .header("PRIVATE-TOKEN", gitlab.rootToken())
                .build();
        return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    private static SSLContext trusting(Path pem) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream in = Files.newInputStream(pem)) {
            store.setCertificateEntry(
                    "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }
}
