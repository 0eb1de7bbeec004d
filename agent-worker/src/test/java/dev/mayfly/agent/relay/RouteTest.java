package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.HttpMethod;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

/** However a path is put together, and however GitLab may read it: what is passed on is this job's or a dependency's. */
class RouteTest {

    private static final List<String> PIECES = List.of(
            "",
            "7",
            "3",
            "8",
            "/",
            "//",
            "/trace",
            "/artifacts",
            "/..",
            "/.",
            "/../8",
            "%2f",
            "%2F..%2F8",
            "%37",
            "%00",
            "?a=b",
            "?/../8",
            "#8",
            ";x=/8",
            "\\8",
            "request",
            "../",
            "\t",
            "é");
    private static final List<HttpMethod> METHODS = List.of(
            HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.POST, HttpMethod.GET, HttpMethod.HEAD, HttpMethod.DELETE);

    private final RelayedJob job = new RelayBetween.Job(7);

    @Test
    void nothingElseIsPassedOn() {
        int passed = 0;
        for (String start : List.of("/api/v4/jobs/", "/api/v4/jobs", "//api/v4/jobs/", "http://gitlab/api/v4/jobs/")) {
            for (String one : PIECES) {
                for (String two : PIECES) {
                    for (String three : PIECES) {
                        passed += check(start + one + two + three);
                    }
                }
            }
        }
        assertThat(passed).as("paths of the job itself among them").isGreaterThan(10);
    }

    private int check(String path) {
        int passed = 0;
        for (HttpMethod method : METHODS) {
            if (Route.of(method, path).isOf(job)) {
                URI read = URI.create("http://gitlab" + path).normalize();
                assertThat(read.getHost()).as(path).isEqualTo("gitlab");
                assertThat(read.getFragment()).as(path).isNull();
                assertThat(method + " " + read.getPath())
                        .as(path)
                        .isIn(
                                "PUT /api/v4/jobs/7",
                                "PATCH /api/v4/jobs/7/trace",
                                "POST /api/v4/jobs/7/artifacts",
                                "GET /api/v4/jobs/7/artifacts",
                                "GET /api/v4/jobs/3/artifacts");
                passed++;
            }
        }
        return passed;
    }
}
