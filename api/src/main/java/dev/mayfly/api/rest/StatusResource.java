package dev.mayfly.api.rest;

import dev.mayfly.api.health.Readiness;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;

/** Whether the control plane lives, whether it can work, and which one it is. Needs no token: it tells no secret. */
@Path("/api/v1")
@Produces(MediaType.APPLICATION_JSON)
public final class StatusResource {

    private final Readiness readiness;
    private final Version version;

    public StatusResource(Readiness readiness, Version version) {
        this.readiness = readiness;
        this.version = version;
    }

    /** The process lives. */
    public record Health(String status) {}

    /** @param status {@code ready}, or {@code waiting} if a needed dependency is down */
    public record Ready(String status, List<Readiness.State> dependencies) {}

    /** @param installation five characters that every slot, VM and runner of this installation carries */
    public record Version(String version, String installation) {}

    /** Whether the process lives: always, if it answers. */
    @GET
    @Path("health")
    public Health health() {
        return new Health("up");
    }

    /** Whether it can work; 503 names what is down. */
    @GET
    @Path("ready")
    public Response ready() {
        boolean ready = readiness.isReady();
        return Response.status(ready ? 200 : 503)
                .entity(new Ready(ready ? "ready" : "waiting", readiness.states()))
                .build();
    }

    /** Which version this is. */
    @GET
    @Path("version")
    public Version version() {
        return version;
    }
}
