package dev.mayfly.api.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import dev.mayfly.api.Failures;
import dev.mayfly.workflows.activity.FailureType;
import io.dropwizard.jersey.validation.JerseyViolationException;
import io.temporal.failure.ApplicationFailure;
import jakarta.ws.rs.NotAllowedException;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.NotSupportedException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import jakarta.ws.rs.ext.ExceptionMapper;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.glassfish.jersey.server.ParamException;
import org.jdbi.v3.core.ConnectionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns every exception of a request into a {@link Problem}. A fault of ours is logged under an id that the answer names. */
public final class ProblemMapper implements ExceptionMapper<Throwable> {

    private static final Logger LOG = LoggerFactory.getLogger(ProblemMapper.class);

    @Context
    @SuppressWarnings("NullAway.Init")
    private UriInfo uri;

    @Override
    public Response toResponse(Throwable failure) {
        if (failure instanceof ParamException.QueryParamException e) {
            return Problem.of(400, "the query parameter %s can't be read".formatted(e.getParameterName()))
                    .response();
        }
        if (failure instanceof WebApplicationException e) {
            return ofStatus(e);
        }
        if (failure instanceof JerseyViolationException e) {
            return Problem.of(422, violations(e)).response();
        }
        if (failure instanceof JsonProcessingException e) {
            return Problem.of(400, "the body can't be read: " + e.getOriginalMessage() + place(e))
                    .response();
        }
        if (failure instanceof ApplicationFailure e) {
            LOG.warn("request {} failed: {}", path(), Failures.inWords(e));
            return Problem.of(FailureType.GITLAB_UNAVAILABLE.is(e) ? 503 : 502, Failures.inWords(e))
                    .response();
        }
        if (failure instanceof ConnectionException) {
            LOG.warn("request {} failed: PostgreSQL gives no connection", path());
            return Problem.of(503, "the control plane's database can't be reached now; try again")
                    .response();
        }
        String id = "%016x".formatted(ThreadLocalRandom.current().nextLong());
        LOG.error("request {} failed, error {}", path(), id, failure);
        return Problem.of(500, "the control plane failed; its log tells more under the id " + id)
                .response();
    }

    private Response ofStatus(WebApplicationException e) {
        Response response = e.getResponse();
        if (response.hasEntity() || response.getStatusInfo().getFamily() == Response.Status.Family.REDIRECTION) {
            return response;
        }
        Response.ResponseBuilder builder = Response.fromResponse(
                Problem.of(response.getStatus(), detail(e)).response());
        copy(response, builder, HttpHeaders.ALLOW);
        copy(response, builder, HttpHeaders.WWW_AUTHENTICATE);
        return builder.build();
    }

    private @Nullable String detail(WebApplicationException e) {
        if (e instanceof NotFoundException) {
            return "there is nothing at " + path() + "; look at /api/v1/jobs, /api/v1/hosts, /api/v1/ready";
        }
        if (e instanceof NotAllowedException) {
            return path() + " doesn't know this method";
        }
        if (e instanceof NotSupportedException) {
            return "send application/json";
        }
        return e.getMessage();
    }

    private static void copy(Response from, Response.ResponseBuilder to, String header) {
        String value = from.getHeaderString(header);
        if (value != null) {
            to.header(header, value);
        }
    }

    private static String violations(JerseyViolationException e) {
        return e.getConstraintViolations().stream()
                .map(violation -> violation.getPropertyPath() + " " + violation.getMessage())
                .sorted()
                .collect(Collectors.joining("; "));
    }

    private static String place(JsonProcessingException e) {
        if (!(e instanceof JsonMappingException mapping) || mapping.getPath().isEmpty()) {
            return "";
        }
        return mapping.getPath().stream()
                .map(part -> part.getFieldName() == null ? "[" + part.getIndex() + "]" : part.getFieldName())
                .collect(Collectors.joining(".", " at ", ""));
    }

    private String path() {
        return "/" + uri.getPath();
    }
}
