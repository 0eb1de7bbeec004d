package dev.mayfly.testkit.gitlab.http;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Ends a call with an error in one of GitLab's shapes. */
@SuppressWarnings("serial")
public final class ApiException extends RuntimeException {
    private final int status;
    private final Map<String, @Nullable Object> body;
    private final Map<String, String> headers = new LinkedHashMap<>();

    public ApiException(int status, Map<String, @Nullable Object> body) {
        super(status + " " + body, null, false, false);
        this.status = status;
        this.body = body;
    }

    /** GitLab's usual shape: {@code {"message": …}}. */
    public ApiException(int status, String message) {
        this(status, Json.object("message", message));
    }

    public ApiException withHeader(String name, String value) {
        headers.put(name, value);
        return this;
    }

    public static ApiException notFound(String what) {
        return new ApiException(404, "404 " + what + " Not Found");
    }

    public static ApiException forbidden() {
        return new ApiException(403, "403 Forbidden");
    }

    public static ApiException badRequest(String message) {
        return new ApiException(400, "400 Bad request - " + message);
    }

    /** A parameter that is missing or has a wrong value: Grape's shape. */
    public static ApiException parameter(String error) {
        return new ApiException(400, Json.object("error", error));
    }

    Reply reply() {
        Reply reply = Reply.json(status, body);
        for (Map.Entry<String, String> header : headers.entrySet()) {
            reply = reply.header(header.getKey(), header.getValue());
        }
        return reply;
    }
}
