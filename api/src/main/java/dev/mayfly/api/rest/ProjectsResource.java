package dev.mayfly.api.rest;

import dev.mayfly.api.connect.ProjectWatch;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

/** Projects whose jobs came here lately, and what is wrong with their connection. */
@Path("/api/v1/projects")
@ApiCall
@Produces(MediaType.APPLICATION_JSON)
public final class ProjectsResource {

    private final ProjectWatch watch;

    public ProjectsResource(ProjectWatch watch) {
        this.watch = watch;
    }

    public record ProjectList(List<ProjectWatch.Seen> items) {}

    /** As this control plane saw them last, most trouble first. */
    @GET
    public ProjectList projects() {
        return new ProjectList(watch.seen());
    }
}
