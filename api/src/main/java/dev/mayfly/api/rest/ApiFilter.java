package dev.mayfly.api.rest;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Guards the REST API: with a token configured, by that token; without one, only for connections that begin and end on
 * this machine's loopback and were not passed on by a proxy.
 */
@ApiCall
public final class ApiFilter implements ContainerRequestFilter {

    private static final String BEARER = "Bearer ";
    private static final List<String> PASSED_ON = List.of("Forwarded", "X-Forwarded-For", "X-Real-IP");
    private static final List<String> LOCAL_NAMES = List.of("localhost", "127.0.0.1", "[::1]");

    private final byte @Nullable [] token;

    @Context
    @SuppressWarnings("NullAway.Init")
    private HttpServletRequest connection;

    public ApiFilter(@Nullable String token) {
        this.token = token == null ? null : token.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void filter(ContainerRequestContext request) {
        if (token == null) {
            if (!isLocal(request)) {
                request.abortWith(Problem.of(
                                403,
                                "no apiToken is configured, so the API answers this machine's loopback only; set apiToken")
                        .response());
            }
            return;
        }
        String header = request.getHeaderString(HttpHeaders.AUTHORIZATION);
        if (header == null || !header.startsWith(BEARER) || !isToken(token, header.substring(BEARER.length()))) {
            request.abortWith(jakarta.ws.rs.core.Response.fromResponse(
                            Problem.of(401, "send the configured apiToken as Authorization: Bearer <token>")
                                    .response())
                    .header(HttpHeaders.WWW_AUTHENTICATE, "Bearer realm=\"mayfly\"")
                    .build());
        }
    }

    private static boolean isToken(byte[] token, String given) {
        return MessageDigest.isEqual(token, given.strip().getBytes(StandardCharsets.UTF_8));
    }

    /** The name asked for must be local too: else a web page elsewhere could call us by a name of its own. */
    private boolean isLocal(ContainerRequestContext request) {
        return isLoopback(connection.getRemoteAddr())
                && isLoopback(connection.getLocalAddr())
                && PASSED_ON.stream().allMatch(name -> request.getHeaderString(name) == null)
                && LOCAL_NAMES.contains(connection.getServerName());
    }

    private static boolean isLoopback(@Nullable String address) {
        try {
            return address != null && InetAddress.getByName(address).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
