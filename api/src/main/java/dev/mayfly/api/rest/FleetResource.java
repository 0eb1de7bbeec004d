package dev.mayfly.api.rest;

import dev.mayfly.activities.capacity.HostView;
import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.capacity.RunnerView;
import dev.mayfly.activities.capacity.Slots;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

/** Hosts with what is free on them, and the runners that GitLab has of us. */
@Path("/api/v1")
@ApiCall
@Produces(MediaType.APPLICATION_JSON)
public final class FleetResource {

    private final Hosts hosts;
    private final Slots slots;

    public FleetResource(Hosts hosts, Slots slots) {
        this.hosts = hosts;
        this.slots = slots;
    }

    public record HostList(List<HostView> items) {}

    public record RunnerList(List<RunnerView> items) {}

    /** All hosts. */
    @GET
    @Path("hosts")
    public HostList hosts() {
        return new HostList(hosts.list());
    }

    /** One host. */
    @GET
    @Path("hosts/{id}")
    public HostView host(@PathParam("id") String id) {
        return hosts.find(id)
                .orElseThrow(() -> Problem.exception(
                        404, "no host %s is known; a host is known once its agent has called".formatted(id)));
    }

    /** Runners not confirmed as removed. */
    @GET
    @Path("runners")
    public RunnerList runners() {
        return new RunnerList(slots.runners());
    }
}
