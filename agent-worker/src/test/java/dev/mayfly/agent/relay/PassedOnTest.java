package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests and answers reach the other side as they were sent. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PassedOnTest {

    private static final String UPLOAD = "POST /api/v4/jobs/7/artifacts?artifact_format=zip HTTP/1.1\r\nHost: x\r\n";
    private static final String DOWNLOAD =
            "GET /api/v4/jobs/3/artifacts?direct_download=true HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: dep-token-3\r\n\r\n";
    private static final String LOG = "PATCH /api/v4/jobs/7/trace HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: job-token-7\r\n";

    private RelayBetween between;

    @BeforeEach
    void open() throws IOException {
        Duration linger = Duration.ofMillis(300);
        between = new RelayBetween(new RelaySettings(64, Duration.ofSeconds(5), Duration.ofSeconds(15), linger));
    }

    @AfterEach
    void close() throws IOException {
        between.close();
    }

    @Test
    void aRequestWithAllButWhatSpeaksOfTheConnection() throws IOException {
        String head = LOG + "Content-Range: 0-1\r\nX-Request-Id: abc\r\nConnection: keep-alive\r\nKeep-Alive: 5\r\n"
                + "TE: trailers\r\nContent-Length: 2\r\n\r\nab";
        try (Socket guest = between.guest(head);
                Socket gitlab = between.gitlab()) {
            String seen = RelayBetween.head(gitlab);
            assertThat(seen)
                    .startsWith("PATCH /api/v4/jobs/7/trace HTTP/1.1\r\n")
                    .contains("JOB-TOKEN: job-token-7\r\n", "Content-Range: 0-1\r\n", "X-Request-Id: abc\r\n")
                    .containsIgnoringCase("host: 127.0.0.1:" + gitlab.getLocalPort() + "\r\n")
                    .containsIgnoringCase("connection: close\r\n")
                    .doesNotContainIgnoringCase("keep-alive")
                    .doesNotContain("TE: ", "Host: x");
            RelayBetween.write(gitlab, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 202 Accepted\r\n");
        }
    }

    @Test
    void aRequestThatArrivesInManyPieces() throws IOException {
        String request = LOG + "Content-Length: 2\r\n\r\nab";
        try (Socket guest = between.guest("")) {
            guest.setTcpNoDelay(true);
            writeInPieces(guest, request);
            try (Socket gitlab = between.gitlab()) {
                RelayBetween.head(gitlab);
                RelayBetween.write(gitlab, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
                assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 202 ");
            }
        }
    }

    @Test
    void anAnswerThatArrivesInManyPieces() throws IOException {
        String answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        try (Socket guest = between.guest(DOWNLOAD);
                Socket gitlab = between.gitlab()) {
            gitlab.setTcpNoDelay(true);
            RelayBetween.head(gitlab);
            writeInPieces(gitlab, answer);
            String seen = RelayBetween.rest(guest);
            assertThat(seen).startsWith("HTTP/1.1 200 ").endsWith("\r\n0\r\n\r\n");
            // However it is cut into chunks.
            assertThat(seen.substring(seen.indexOf("\r\n\r\n")).replaceAll("[^a-z]", ""))
                    .isEqualTo("abc");
        }
    }

    @ParameterizedTest
    @CsvSource({"202,running", "202,canceling", "416,running", "403,canceled", "429,running"})
    void anAnswersStatusAndHeadersWhichTellOfCancelAndOffset(int status, String jobStatus) throws IOException {
        String headers = "Job-Status: %s\r\nRange: 0-17\r\nX-GitLab-Trace-Update-Interval: 3\r\nRetry-After: 9\r\n"
                .formatted(jobStatus);
        try (Socket guest = between.guest(LOG + "Content-Length: 2\r\n\r\nab");
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            RelayBetween.write(gitlab, "HTTP/1.1 " + status + " So\r\n" + headers + "Content-Length: 2\r\n\r\nno");
            assertThat(RelayBetween.rest(guest))
                    .startsWith("HTTP/1.1 " + status + " So\r\n")
                    .contains(headers)
                    .endsWith("\r\n\r\nno");
            assertThat(between.job.updates).containsExactly(new Update(null, true, status, jobStatus));
        }
    }

    @ParameterizedTest
    @CsvSource({"job-token-7,true", "job-token-8,false"})
    void anUpdateIsSeenWithItsStateAndWhetherItIsTheJobsOwn(String token, boolean own) throws IOException {
        String body = "{\"token\":\"%s\",\"state\":\"success\"}".formatted(token);
        String head = "PUT /api/v4/jobs/7 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n".formatted(body.length());
        try (Socket guest = between.guest(head + body);
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            RelayBetween.write(gitlab, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n200");
            assertThat(RelayBetween.rest(guest)).endsWith("\r\n\r\n200");
            assertThat(between.job.updates).containsExactly(new Update("success", own, 200, null));
        }
    }

    @Test
    void aGuestThatExpectsContinueGetsItOnceGitLabIsReached() throws IOException {
        try (Socket guest = between.guest(UPLOAD + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
                Socket gitlab = between.gitlab()) {
            assertThat(RelayBetween.head(guest)).startsWith("HTTP/1.1 100 Continue\r\n");
            RelayBetween.write(guest, "ab");
            assertThat(RelayBetween.head(gitlab)).doesNotContainIgnoringCase("expect");
            assertThat(gitlab.getInputStream().readNBytes(2)).containsExactly('a', 'b');
            RelayBetween.write(gitlab, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 201 Created\r\n");
        }
    }

    @Test
    void aGuestThatExpectsContinueIsToldAtOnceIfGitLabIsAway() throws IOException {
        between.gitlabIsDown();
        try (Socket guest = between.guest(UPLOAD + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")) {
            assertThat(RelayBetween.head(guest)).startsWith("HTTP/1.1 503 ");
        }
    }

    @Test
    void aContinueOfGitLabIsNotTheAnswer() throws IOException {
        try (Socket guest = between.guest(UPLOAD + "Content-Length: 2\r\n\r\nab");
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            RelayBetween.write(gitlab, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
            RelayBetween.write(gitlab, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok");
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 201 ").endsWith("\r\n\r\nok");
        }
    }

    /** GitLab sends uploads elsewhere, too: the guest follows by itself. */
    @ParameterizedTest
    @CsvSource({"307,POST", "307,GET", "302,GET"})
    void aRedirectWithItsTarget(int status, String method) throws IOException {
        String location = "Location: https://store.example.com/a%2Fb?X-Amz-Signature=0a%3D\r\n";
        String request = method.equals("GET") ? DOWNLOAD : UPLOAD + "Transfer-Encoding: chunked\r\n\r\n";
        try (Socket guest = between.guest(request);
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            RelayBetween.write(gitlab, "HTTP/1.1 " + status + " Go\r\n" + location + "Content-Length: 0\r\n\r\n");
            assertThat(RelayBetween.head(guest))
                    .startsWith("HTTP/1.1 " + status + " Go\r\n")
                    .contains(location);
        }
    }

    @Test
    void aBodyThatEndsWithTheConnection() throws IOException {
        try (Socket guest = between.guest(DOWNLOAD)) {
            try (Socket gitlab = between.gitlab()) {
                assertThat(RelayBetween.head(gitlab))
                        .startsWith("GET /api/v4/jobs/3/artifacts?direct_download=true HTTP/1.1\r\n")
                        .contains("JOB-TOKEN: dep-token-3\r\n");
                RelayBetween.write(gitlab, "HTTP/1.1 200 OK\r\n\r\n" + "z".repeat(300_000));
            }
            assertThat(RelayBetween.rest(guest)).endsWith("\r\n\r\n" + "z".repeat(300_000));
        }
    }

    @Test
    void noHeadRequest() throws IOException {
        try (Socket guest = between.guest("HEAD /api/v4/jobs/3/artifacts HTTP/1.1\r\nHost: x\r\n\r\n")) {
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 403 ").endsWith("\r\n\r\n");
            between.expectNothingAtGitLab();
        }
    }

    @Test
    void nothingThatIsNoHttpComesBack() throws IOException {
        try (Socket guest = between.guest(DOWNLOAD);
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            RelayBetween.write(gitlab, "SSH-2.0-OpenSSH_9.2\r\n");
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 503 ");
        }
    }

    private static void writeInPieces(Socket to, String text) throws IOException {
        for (int i = 0; i < text.length(); i++) {
            RelayBetween.write(to, text.substring(i, i + 1));
            LockSupport.parkNanos(2_000_000);
        }
    }
}
