package dev.mayfly.api.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import org.jspecify.annotations.Nullable;

/**
 * An error as RFC 9457 shapes it.
 *
 * @param type always {@code about:blank}: the status says what kind of error it is
 * @param title the status in words
 * @param detail what happened, to which thing, and the cure
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Problem(
        String type, String title, int status, @Nullable String detail) {

    public static final MediaType MEDIA_TYPE = new MediaType("application", "problem+json");

    /** A problem of this status. */
    public static Problem of(int status, @Nullable String detail) {
        Response.Status known = Response.Status.fromStatusCode(status);
        String title = known == null ? (status == 425 ? "Too Early" : "Error") : known.getReasonPhrase();
        return new Problem("about:blank", title, status, detail);
    }

    /** It as a whole answer. */
    public Response response() {
        return Response.status(status).type(MEDIA_TYPE).entity(this).build();
    }

    /** It as an exception, for places that can't return it. */
    public static WebApplicationException exception(int status, String detail) {
        return new WebApplicationException(detail, of(status, detail).response());
    }
}
