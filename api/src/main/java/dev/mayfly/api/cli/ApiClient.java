package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Calls a control plane's REST API; what goes wrong is a {@link UserError}. */
final class ApiClient {

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(30);

    private final String url;
    private final @Nullable String token;
    private final ObjectMapper json;
    private final HttpClient http;

    /**
     * Connects to nothing yet.
     *
     * @param token bearer token, null for none
     * @param caFile certificates to trust as PEM, null for the public ones
     */
    ApiClient(String url, @Nullable String token, @Nullable Path caFile, ObjectMapper json) {
        this.url = url.replaceFirst("/+$", "");
        this.token = token;
        this.json = json;
        HttpClient.Builder builder = HttpClient.newBuilder().connectTimeout(CONNECT);
        if (caFile != null) {
            builder.sslContext(trusting(caFile));
        }
        this.http = builder.build();
    }

    JsonNode get(String path) {
        return call("GET", path);
    }

    JsonNode post(String path) {
        return call("POST", path);
    }

    JsonNode put(String path) {
        return call("PUT", path);
    }

    JsonNode delete(String path) {
        return call("DELETE", path);
    }

    /** A query string of what is not null, with its question mark. */
    static String query(Map<String, ? extends @Nullable Object> parameters) {
        return parameters.entrySet().stream()
                .filter(one -> one.getValue() != null)
                .map(one -> one.getKey() + "=" + encode(String.valueOf(one.getValue())))
                .collect(Collectors.joining("&", "?", ""));
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private JsonNode call(String method, String path) {
        HttpResponse<String> answer = send(method, path);
        JsonNode body = read(answer);
        if (answer.statusCode() < 300) {
            return body;
        }
        String detail = body.path("detail").asText("it answers " + answer.statusCode() + " to " + path);
        String cure = answer.statusCode() == 401 ? "; give it in a file with --token-file" : "";
        throw new UserError("%s: %s%s".formatted(url, detail, cure));
    }

    private HttpResponse<String> send(String method, String path) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path))
                    .timeout(ANSWER)
                    .method(method, HttpRequest.BodyPublishers.noBody());
            if (token != null) {
                request.header("Authorization", "Bearer " + token);
            }
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IllegalArgumentException e) {
            throw new UserError("%s is no address of a control plane; give one such as http://localhost:8080 with --url"
                    .formatted(url));
        } catch (SSLHandshakeException e) {
            throw new UserError("%s: its certificate is not trusted (%s); give its CA with --ca-file"
                    .formatted(url, e.getMessage()));
        } catch (IOException e) {
            String reason = e instanceof ConnectException ? "nothing answers there" : e.toString();
            throw new UserError(
                    "%s: %s; start the control plane, or name another one with --url".formatted(url, reason));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserError("interrupted");
        }
    }

    private JsonNode read(HttpResponse<String> answer) {
        try {
            return json.readTree(answer.body());
        } catch (IOException e) {
            throw new UserError(
                    "%s: it answers %d, but not as a control plane; correct --url".formatted(url, answer.statusCode()));
        }
    }

    private static SSLContext trusting(Path caFile) {
        try (InputStream pem = Files.newInputStream(caFile)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                store.setCertificateEntry("ca-" + store.size(), certificate);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new UserError("--ca-file %s: no certificates as PEM can be read there (%s)"
                    .formatted(caFile, e.getClass().getSimpleName()));
        }
    }
}
