package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest may send what it likes: GitLab sees only well-formed requests for this guest's own job. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileGuestTest {

    private static final String PUT = "PUT /api/v4/jobs/7 HTTP/1.1\r\nHost: x\r\n";
    private static final String SMUGGLED = "PUT /api/v4/jobs/8 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";

    private RelayBetween between;

    @BeforeEach
    void open() throws IOException {
        Duration brief = Duration.ofMillis(100);
        between = new RelayBetween(new RelaySettings(4, Duration.ofSeconds(2), Duration.ofSeconds(5), brief));
    }

    @AfterEach
    void close() throws IOException {
        between.close();
    }

    static Stream<String> noHttp() {
        return Stream.of(
                "\0\1\2\3\r\n\r\n",
                "\26\3\1\2\0\1\0\1\374\3\3",
                "PUT /api/v4/jobs/7\r\n\r\n",
                "PUT /api/v4/jobs/7 HTTP/9.9.9\r\n\r\n",
                "hello\r\n\r\n",
                "\r\n\r\n\r\n\r\n",
                "PUT /api/v4/jobs/7?" + "a".repeat(100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
                PUT + "X-Long: " + "a".repeat(100_000) + "\r\n\r\n",
                PUT + ("X-Many: " + "a".repeat(1000) + "\r\n").repeat(100) + "\r\n");
    }

    @ParameterizedTest
    @MethodSource
    void noHttp(String garbage) throws IOException {
        try (Socket guest = between.guest(garbage)) {
            String answer = RelayBetween.rest(guest);
            assertThat(answer)
                    .satisfiesAnyOf(
                            text -> assertThat(text).isEmpty(),
                            text -> assertThat(text).matches("(?s)HTTP/1\\.1 4\\d\\d .*"));
        }
        between.expectNothingAtGitLab();
    }

    static Stream<String> requestsWithTwoEnds() {
        return Stream.of(
                PUT + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
                PUT + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
                PUT + "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
                PUT + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
                PUT + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
                PUT + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
                PUT + "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
                PUT + "Transfer-Encoding: \013chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
                PUT.replace("1.1", "1.0") + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
                        + SMUGGLED,
                PUT + "Content-Length: 2\r\nContent-Length: 90\r\n\r\n{}" + SMUGGLED,
                PUT + "Content-Length: 2, 90\r\n\r\n{}" + SMUGGLED,
                PUT + "Content-Length: +2\r\n\r\n{}" + SMUGGLED,
                PUT + "Content-Length: -1\r\n\r\n{}" + SMUGGLED);
    }

    @ParameterizedTest
    @MethodSource
    void requestsWithTwoEnds(String request) throws IOException {
        try (Socket guest = between.guest(request)) {
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 400 ").doesNotContain("\r\n\r\nHTTP");
        }
        between.expectNothingAtGitLab();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "X-A: a\rJOB-TOKEN: other\r\n",
                "X-A: a\0b\r\n",
                "X-A\0: b\r\n",
                "X A: b\r\n",
                ": b\r\n",
                "no colon\r\n",
            })
    void headersThatAreNone(String header) throws IOException {
        try (Socket guest = between.guest(PUT + header + "Content-Length: 2\r\n\r\n{}")) {
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 400 ");
        }
        between.expectNothingAtGitLab();
    }

    @Test
    void aFoldedHeaderStaysOne() throws IOException {
        try (Socket guest = between.guest(PUT + "X-A: a\r\n JOB-TOKEN: other\r\nContent-Length: 2\r\n\r\n{}");
                Socket gitlab = between.gitlab()) {
            assertThat(RelayBetween.head(gitlab)).contains("X-A: a JOB-TOKEN: other\r\n");
            RelayBetween.write(gitlab, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 200 ");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PUT /api/v4/jobs/7/../8",
                "PUT /api/v4/jobs/../jobs/8",
                "PUT /api/v4/jobs/./7",
                "PUT /api/v4/jobs/7%2f..%2f8",
                "PUT /api/v4/jobs/%37",
                "PUT /api/v4/jobs/7/",
                "PUT /api/v4/jobs//7",
                "PUT /api/v4/jobs/7;x=/8",
                "PUT /api/v4/jobs/7#/8",
                "PUT /api/v4/jobs/+7",
                "PUT /api/v4/jobs/7777777777777777777777",
                "PUT http://gitlab.example.com/api/v4/jobs/7",
                "PUT //gitlab.example.com/api/v4/jobs/7",
                "PUT api/v4/jobs/7",
                "PUT *",
                "CONNECT gitlab.example.com:443",
                "OPTIONS /api/v4/jobs/7",
                "DELETE /api/v4/jobs/7/artifacts",
                "GET /api/v4/jobs/7/trace",
                "PATCH /api/v4/jobs/3/trace",
                "POST /api/v4/jobs/3/artifacts",
                "GET /api/v4/jobs/4/artifacts",
                "PUT /api/v4/jobs/3",
                "POST /api/v4/jobs/7/artifacts/authorize",
                "POST /api/v4/runners",
                "put /api/v4/jobs/7",
                "PUT /api/v4/jobs/7?x=\u0001",
            })
    void whatIsNotThisJobsIsRefused(String line) throws IOException {
        try (Socket guest = between.guest(line + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")) {
            assertThat(RelayBetween.rest(guest)).matches("(?s)HTTP/1\\.1 40[03] .*");
        }
        between.expectNothingAtGitLab();
    }

    @Test
    void moreConnectionsThanAVmMayHaveAreClosed() throws IOException {
        String unfinished = PUT + "Content-Length: 2\r\n\r\n";
        try (Socket one = between.guest(unfinished);
                Socket two = between.guest(unfinished);
                Socket three = between.guest(unfinished);
                Socket four = between.guest(unfinished);
                Socket five = between.guest("")) {
            assertThat(RelayBetween.rest(five)).isEmpty();
            RelayBetween.write(one, "{}");
            Socket gitlab = between.gitlab();
            RelayBetween.head(gitlab);
            for (Socket other : new Socket[] {two, three, four}) {
                other.close();
            }
        }
    }
}
