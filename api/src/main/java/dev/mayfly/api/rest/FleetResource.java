package dev.mayfly.api.rest;

import dev.mayfly.activities.capacity.HostOrders;
import dev.mayfly.activities.capacity.HostView;
import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.capacity.RunnerView;
import dev.mayfly.activities.capacity.Slots;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Hosts with what is free on them, what operators order them to do, and the runners that GitLab has of us. */
@Path("/api/v1")
@ApiCall
@Produces(MediaType.APPLICATION_JSON)
public final class FleetResource {

    private final Hosts hosts;
    private final HostOrders orders;
    private final Slots slots;

    public FleetResource(Hosts hosts, HostOrders orders, Slots slots) {
        this.hosts = hosts;
        this.orders = orders;
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
        return hosts.find(id).orElseThrow(() -> unknown(id));
    }

    /** No new VMs there; those that run go on. */
    @POST
    @Path("hosts/{id}/drain")
    public HostView drain(@PathParam("id") String id) {
        return obeyed(id, orders.drain(id));
    }

    /** New VMs there again; a reboot that was ordered is called off. */
    @POST
    @Path("hosts/{id}/undrain")
    public HostView undrain(@PathParam("id") String id) {
        return obeyed(id, orders.undrain(id));
    }

    /** Drained, then rebooted once it is empty, then VMs again. */
    @POST
    @Path("hosts/{id}/reboot-when-empty")
    public HostView rebootWhenEmpty(@PathParam("id") String id) {
        return obeyed(id, possible(() -> orders.rebootWhenEmpty(id)));
    }

    /** Jobs that ask for this label may run there. */
    @PUT
    @Path("hosts/{id}/labels/{label}")
    public HostView label(@PathParam("id") String id, @PathParam("label") String label) {
        try {
            return obeyed(id, orders.label(id, label));
        } catch (IllegalArgumentException e) {
            throw Problem.exception(400, String.valueOf(e.getMessage()));
        }
    }

    /** Jobs that ask for this label are not placed there any more. */
    @DELETE
    @Path("hosts/{id}/labels/{label}")
    public HostView unlabel(@PathParam("id") String id, @PathParam("label") String label) {
        return obeyed(id, possible(() -> orders.unlabel(id, label)));
    }

    /** A LOST host that won't come back. */
    @DELETE
    @Path("hosts/{id}")
    public void forget(@PathParam("id") String id) {
        if (!possible(() -> orders.forget(id))) {
            throw unknown(id);
        }
    }

    private HostView obeyed(String id, boolean known) {
        if (!known) {
            throw unknown(id);
        }
        return host(id);
    }

    private static boolean possible(BooleanSupplier order) {
        try {
            return order.getAsBoolean();
        } catch (IllegalStateException e) {
            throw Problem.exception(409, String.valueOf(e.getMessage()));
        }
    }

    private static WebApplicationException unknown(String id) {
        return Problem.exception(404, "no host %s is known; a host is known once its agent has called".formatted(id));
    }

    /** Runners not confirmed as removed. */
    @GET
    @Path("runners")
    public RunnerList runners() {
        return new RunnerList(slots.runners());
    }
}
