package dev.mayfly.api.agents;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.api.rest.Problem;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.core.HttpHeaders;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets in only requests that carry a host's credential and name that very host. Of the body no more than the host id is
 * looked at before: what another host sent is neither bound to our records nor acted on.
 */
@HostCall
public final class HostFilter implements ContainerRequestFilter {

    private static final Logger LOG = LoggerFactory.getLogger(HostFilter.class);
    private static final String HOST = "dev.mayfly.host";
    private static final String BEARER = "Bearer ";
    /** An inventory of some ten thousand slots. */
    private static final int LARGEST_BODY = 4 << 20;

    private final HostCredentials credentials;
    private final ObjectMapper json;

    public HostFilter(HostCredentials credentials, ObjectMapper json) {
        this.credentials = credentials;
        this.json = json;
    }

    /** The host that a request let in comes from. */
    static String host(ContainerRequestContext request) {
        return String.valueOf(request.getProperty(HOST));
    }

    @Override
    public void filter(ContainerRequestContext request) throws IOException {
        String host = hostOf(request.getHeaderString(HttpHeaders.AUTHORIZATION));
        if (host == null) {
            request.abortWith(Problem.of(
                            401,
                            "the credential is missing or of no host that this control plane knows; put the agent's"
                                    + " credential under agents in its configuration")
                    .response());
            return;
        }
        byte[] body = request.getEntityStream().readNBytes(LARGEST_BODY + 1);
        Problem problem = problem(host, body);
        if (problem != null) {
            LOG.warn("host {}: /{} refused: {}", host, request.getUriInfo().getPath(), problem.detail());
            request.abortWith(problem.response());
            return;
        }
        request.setEntityStream(new ByteArrayInputStream(body));
        request.setProperty(HOST, host);
    }

    private @Nullable Problem problem(String host, byte[] body) {
        if (body.length > LARGEST_BODY) {
            return Problem.of(413, "the body is over the limit of %d bytes".formatted(LARGEST_BODY));
        }
        String named;
        try {
            named = namedHost(body);
        } catch (IOException e) {
            return Problem.of(400, "the body can't be read: " + words(e));
        }
        if (named == null) {
            return Problem.of(400, "the body names no hostId");
        }
        return named.equals(host)
                ? null
                : Problem.of(403, "the credential is of host %s, the request names another host".formatted(host));
    }

    /** The {@code hostId} of the outermost object; null if there is none. The last one counts, as when it is bound. */
    private @Nullable String namedHost(byte[] body) throws IOException {
        String named = null;
        try (JsonParser parser = json.createParser(body)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean isHost = parser.currentName().equals("hostId");
                JsonToken value = parser.nextToken();
                if (isHost) {
                    named = value == JsonToken.VALUE_STRING ? parser.getText() : null;
                }
                parser.skipChildren();
            }
        }
        return named;
    }

    private static String words(IOException e) {
        return e instanceof JsonProcessingException json ? json.getOriginalMessage() : String.valueOf(e.getMessage());
    }

    private @Nullable String hostOf(@Nullable String header) {
        return header != null && header.startsWith(BEARER)
                ? credentials.hostOf(header.substring(BEARER.length()).strip())
                : null;
    }
}
