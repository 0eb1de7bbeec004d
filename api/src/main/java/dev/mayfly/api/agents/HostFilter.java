package dev.mayfly.api.agents;

import dev.mayfly.api.rest.Problem;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.core.HttpHeaders;
import org.jspecify.annotations.Nullable;

/** Lets in only requests that carry a host's credential, and notes which host it is. */
@HostCall
public final class HostFilter implements ContainerRequestFilter {

    static final String HOST = "dev.mayfly.host";
    private static final String BEARER = "Bearer ";

    private final HostCredentials credentials;

    public HostFilter(HostCredentials credentials) {
        this.credentials = credentials;
    }

    @Override
    public void filter(ContainerRequestContext request) {
        String header = request.getHeaderString(HttpHeaders.AUTHORIZATION);
        String host = hostOf(header);
        if (host == null) {
            request.abortWith(Problem.of(
                            401,
                            "the credential is missing or of no host that this control plane knows; put the agent's"
                                    + " credential under agents in its configuration")
                    .response());
            return;
        }
        request.setProperty(HOST, host);
    }

    private @Nullable String hostOf(@Nullable String header) {
        return header != null && header.startsWith(BEARER)
                ? credentials.hostOf(header.substring(BEARER.length()).strip())
                : null;
    }
}
