package dev.mayfly.agent.relay;

import io.netty.handler.codec.http.HttpMethod;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a guest asks for. Paths are matched as they were sent, without decoding, so that nothing can pass as something
 * else; a query holds what a URI's may hold.
 *
 * @param jobId the job it names, 0 if none
 */
record Route(Kind kind, long jobId) {

    private static final Pattern OF_A_JOB =
            Pattern.compile("/api/v4/jobs/([1-9][0-9]{0,17})(/trace|/artifacts)?(\\?[\\w.~!$&'()*+,;=:@/?%-]*)?");

    /** What the relay does with a request. */
    enum Kind {
        /** Answered by the relay with the claimed payload. */
        REQUEST_JOB,
        /** Answered by the relay: the guest's token is none of GitLab's. */
        VERIFY_RUNNER,
        /** {@code PUT /jobs/J}: passed on, and looked at. */
        UPDATE,
        /** {@code PATCH /jobs/J/trace}: passed on. */
        LOG,
        /** {@code POST /jobs/J/artifacts}: passed on. */
        UPLOAD,
        /** {@code GET /jobs/J/artifacts}: passed on, also for a dependency. */
        DOWNLOAD,
        /** Refused. */
        OTHER
    }

    static Route of(HttpMethod method, String uri) {
        if (method.equals(HttpMethod.POST) && uri.equals("/api/v4/jobs/request")) {
            return new Route(Kind.REQUEST_JOB, 0);
        }
        if (method.equals(HttpMethod.POST) && uri.equals("/api/v4/runners/verify")) {
            return new Route(Kind.VERIFY_RUNNER, 0);
        }
        Matcher job = OF_A_JOB.matcher(uri);
        if (!job.matches()) {
            return new Route(Kind.OTHER, 0);
        }
        String part = job.group(2) == null ? "" : job.group(2);
        Kind kind = switch (method + " " + part) {
            case "PUT " -> Kind.UPDATE;
            case "PATCH /trace" -> Kind.LOG;
            case "POST /artifacts" -> Kind.UPLOAD;
            case "GET /artifacts" -> Kind.DOWNLOAD;
            default -> Kind.OTHER;
        };
        return new Route(kind, kind == Kind.OTHER ? 0 : Long.parseLong(job.group(1)));
    }

    /** Whether a VM bound to {@code job} may have this passed on. */
    boolean isOf(RelayedJob job) {
        return jobId == job.id() || (kind == Kind.DOWNLOAD && job.dependencies().contains(jobId));
    }

    /** Whether GitLab's answer tells how the job stands. */
    boolean isUpdate() {
        return kind == Kind.UPDATE || kind == Kind.LOG;
    }
}
