package dev.mayfly.testkit.gitlab.webhook;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** Posts to receivers, with their certificate checked or not. Ten seconds, as GitLab allows them. */
final class HookClient {
    private static final Duration TIME_OUT = Duration.ofSeconds(10);

    private final HttpClient verifying;
    private final HttpClient trusting;

    /** @param trusted certificates to trust besides the JDK's own */
    HookClient(List<Path> trusted) {
        try {
            this.verifying = client(trusted.isEmpty() ? SSLContext.getDefault() : context(trustOf(trusted)));
            this.trusting = client(context(new TrustManager[] {new TrustAll()}));
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("cannot use the trusted certificates " + trusted, e);
        }
    }

    /** The answer's status. */
    int post(String url, boolean verify, Map<String, String> headers, byte[] body)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url))
                .timeout(TIME_OUT)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        headers.forEach(request::header);
        HttpResponse<Void> response =
                (verify ? verifying : trusting).send(request.build(), HttpResponse.BodyHandlers.discarding());
        return response.statusCode();
    }

    private static HttpClient client(SSLContext context) {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(TIME_OUT)
                .sslContext(context)
                .build();
    }

    private static SSLContext context(TrustManager @Nullable [] trust) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust, null);
        return context;
    }

    private static TrustManager[] trustOf(List<Path> trusted) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(
                Path.of(System.getProperty("java.home"), "lib", "security", "cacerts")
                        .toFile(),
                "changeit".toCharArray());
        for (Path file : trusted) {
            try (InputStream in = Files.newInputStream(file)) {
                int i = 0;
                for (Certificate certificate :
                        CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                    store.setCertificateEntry(file + "-" + i++, certificate);
                }
            }
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory.getTrustManagers();
    }

    /** {@code enable_ssl_verification: false}: neither chain nor name is looked at. */
    private static final class TrustAll extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
