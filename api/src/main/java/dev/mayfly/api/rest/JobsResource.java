package dev.mayfly.api.rest;

import dev.mayfly.activities.capacity.Why;
import dev.mayfly.activities.capacity.WhyWaiting;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.jobs.JobFilter;
import dev.mayfly.activities.jobs.JobPage;
import dev.mayfly.activities.jobs.JobView;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.ledger.Ledger;
import dev.mayfly.api.Failures;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobPhase;
import io.temporal.failure.ApplicationFailure;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Jobs: which there are, how they stand, why one was refused; and cancelling one. */
@Path("/api/v1/jobs")
@ApiCall
@Produces(MediaType.APPLICATION_JSON)
public final class JobsResource {

    private static final Logger LOG = LoggerFactory.getLogger(JobsResource.class);
    private static final int LARGEST_PAGE = 500;
    private static final Duration ANY_TIME = Duration.ofDays(3650);

    private final Jobs jobs;
    private final Ledger ledger;
    private final GitLabJobs gitlab;
    private final WhyWaiting why;

    public JobsResource(Jobs jobs, Ledger ledger, GitLabJobs gitlab, WhyWaiting why) {
        this.jobs = jobs;
        this.ledger = ledger;
        this.gitlab = gitlab;
        this.why = why;
    }

    /** @param next give it as {@code after} to get the next page; null at the end */
    public record Page(List<JobItem> items, @Nullable String next) {

        public Page {
            items = List.copyOf(items);
        }
    }

    /**
     * Lists jobs, newest first.
     *
     * @param project a project's path or number
     */
    @GET
    public Page list(
            @QueryParam("instance") @Nullable String instance,
            @QueryParam("project") @Nullable String project,
            @QueryParam("status") @Nullable String status,
            @QueryParam("phase") @Nullable String phase,
            @QueryParam("host") @Nullable String host,
            @QueryParam("pipeline") @Nullable Long pipeline,
            @QueryParam("unfinished") @DefaultValue("false") boolean unfinished,
            @QueryParam("perPage") @DefaultValue("50") int perPage,
            @QueryParam("after") @Nullable String after) {
        if (perPage < 1 || perPage > LARGEST_PAGE) {
            throw Problem.exception(400, "perPage is %d; give 1 to %d".formatted(perPage, LARGEST_PAGE));
        }
        String path =
                project != null && project.matches("\\d{1,18}") ? pathOf(Long.parseLong(project), instance) : project;
        JobFilter filter = new JobFilter(instance, path, status, phase(phase), host, pipeline, unfinished);
        JobPage page = page(filter, perPage, after);
        return new Page(page.jobs().stream().map(JobItem::of).toList(), page.next());
    }

    /**
     * One job, with every slot that it ever held.
     *
     * @param id its workflow id, or GitLab's job number
     * @param instance tells instances apart that use the same number
     */
    @GET
    @Path("{id}")
    public JobDetail get(@PathParam("id") String id, @QueryParam("instance") @Nullable String instance) {
        JobView view = find(id, instance);
        return JobDetail.of(view, ledger.slotsOf(view.job().key()));
    }

    /** Why a job does not run yet, as things stand now. */
    @GET
    @Path("{id}/why")
    public Why why(@PathParam("id") String id, @QueryParam("instance") @Nullable String instance) {
        return why.of(find(id, instance));
    }

    /** Cancels a job in GitLab; its VM goes then. A job that has ended stays as it is. */
    @POST
    @Path("{id}/cancel")
    public Response cancel(@PathParam("id") String id, @QueryParam("instance") @Nullable String instance) {
        JobView view = find(id, instance);
        JobKey key = view.job().key();
        try {
            gitlab.cancelJob(key);
        } catch (ApplicationFailure e) {
            throw Problem.exception(502, "%s was not cancelled: %s".formatted(key, Failures.inWords(e)));
        }
        LOG.info("{}: cancelled in GitLab by a caller of the API", key);
        return Response.accepted(JobItem.of(find(id, instance))).build();
    }

    private JobPage page(JobFilter filter, int perPage, @Nullable String after) {
        try {
            return jobs.list(filter, perPage, after);
        } catch (IllegalArgumentException e) {
            throw Problem.exception(400, "after is no cursor of this list; leave it out for the first page");
        }
    }

    /** A project without any job of ours has no name here, and no jobs. */
    private String pathOf(long projectId, @Nullable String instance) {
        return jobs.activeProjects(ANY_TIME).stream()
                .filter(project ->
                        project.projectId() == projectId && (instance == null || instance.equals(project.instance())))
                .map(Jobs.Project::projectPath)
                .findFirst()
                .orElse(Long.toString(projectId));
    }

    private JobView find(String id, @Nullable String instance) {
        List<JobView> found = id.matches("\\d{1,18}")
                ? jobs.findByJobId(Long.parseLong(id)).stream()
                        .filter(view -> instance == null
                                || instance.equals(view.job().key().instance()))
                        .toList()
                : jobs.find(key(id)).stream().toList();
        if (found.isEmpty()) {
            throw Problem.exception(
                    404,
                    "no job %s is known; jobs without our tag never are, and others only once their webhook came"
                            .formatted(id));
        }
        if (found.size() > 1) {
            throw Problem.exception(409, "several GitLab instances have a job %s; add ?instance=<name>".formatted(id));
        }
        return found.get(0);
    }

    private static JobKey key(String id) {
        try {
            return JobKey.parse(id);
        } catch (IllegalArgumentException e) {
            throw Problem.exception(
                    400, "'%s' is no job; give GitLab's job number or gitlab:<instance>:<project>:<job>".formatted(id));
        }
    }

    private static @Nullable JobPhase phase(@Nullable String name) {
        if (name == null) {
            return null;
        }
        try {
            return JobPhase.valueOf(name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw Problem.exception(
                    400, "'%s' is no phase; the phases are %s".formatted(name, Arrays.toString(JobPhase.values())));
        }
    }
}
