package dev.mayfly.api.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.mayfly.api.sweep.Sweeper;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import org.jspecify.annotations.Nullable;

/** The sweeper's brake: whether it is on, and an operator's word to go on. */
@Path("/api/v1/sweeper")
@ApiCall
@Produces(MediaType.APPLICATION_JSON)
public final class SweepResource {

    private final Sweeper sweeper;
    private final Runnable wake;

    public SweepResource(Sweeper sweeper, Runnable wake) {
        this.sweeper = sweeper;
        this.wake = wake;
    }

    /** @param braked why it holds back, absent if it doesn't */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Sweep(String state, @Nullable String braked) {}

    /** How it stands. */
    @GET
    public Sweep get() {
        String braked = sweeper.braked();
        return new Sweep(braked == null ? "sweeping" : "holding back", braked);
    }

    /** Lets the next pass remove what it finds, however much, and takes Temporal's present namespace for the right one. */
    @POST
    @Path("proceed")
    public Sweep proceed() {
        sweeper.proceed();
        wake.run();
        return new Sweep("proceeding", null);
    }
}
