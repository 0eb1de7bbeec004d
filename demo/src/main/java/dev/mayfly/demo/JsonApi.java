package dev.mayfly.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.mayfly.agent.tls.Trust;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A client of one server's JSON API, as a user's script would be: real TLS, real tokens. */
public final class JsonApi {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final URI base;
    private final String tokenHeader;
    private final String token;
    private final HttpClient client;

    /** Trusts only {@code caPem}, sends {@code token} in {@code tokenHeader}. */
    JsonApi(URI base, Path caPem, String tokenHeader, String token) {
        this.base = base;
        this.tokenHeader = tokenHeader;
        this.token = token;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(5))
                .sslContext(trusting(caPem))
                .build();
    }

    public JsonNode get(String path) {
        return json(send("GET", path, null));
    }

    public JsonNode post(String path, Object body) {
        return json(send("POST", path, body));
    }

    JsonNode put(String path, Object body) {
        return json(send("PUT", path, body));
    }

    public void delete(String path) {
        require(send("DELETE", path, null));
    }

    String text(String path) {
        return require(send("GET", path, null));
    }

    /** The status code alone; -1 if nobody answers. */
    int status(String path) {
        try {
            return send("GET", path, null).statusCode();
        } catch (ApiException e) {
            return -1;
        }
    }

    private static JsonNode json(HttpResponse<String> response) {
        String body = require(response);
        try {
            return body.isBlank() ? JsonNodeFactory.instance.nullNode() : JSON.readTree(body);
        } catch (IOException e) {
            throw new ApiException(response.request().uri() + " answered something that is no JSON: " + body, e);
        }
    }

    private static String require(HttpResponse<String> response) {
        if (response.statusCode() >= 300) {
            throw new ApiException("%s %s: %d %s"
                    .formatted(
                            response.request().method(),
                            response.request().uri(),
                            response.statusCode(),
                            response.body()));
        }
        return response.body();
    }

    private HttpResponse<String> send(String method, String path, @Nullable Object body) {
        try {
            var publisher = body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body));
            HttpRequest request = HttpRequest.newBuilder(base.resolve(path))
                    .timeout(TIMEOUT)
                    .header(tokenHeader, token)
                    .header("Content-Type", "application/json")
                    .method(method, publisher)
                    .build();
            // The request's own time-out ends with the answer's head; a body that never ends must not hold its reader
            // up.
            return client.sendAsync(request, BodyHandlers.ofString()).get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (IOException | TimeoutException e) {
            throw new ApiException(method + " " + base.resolve(path) + ": " + e, e);
        } catch (ExecutionException e) {
            throw new ApiException(method + " " + base.resolve(path) + ": " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException("interrupted while calling " + base, e);
        }
    }

    private static SSLContext trusting(Path caPem) {
        try {
            return Trust.in(caPem).context();
        } catch (IOException e) {
            throw new IllegalStateException("can't trust the certificates in " + caPem, e);
        }
    }

    /** The server is not there, or said no. */
    public static final class ApiException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ApiException(String message) {
            super(message);
        }

        ApiException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
