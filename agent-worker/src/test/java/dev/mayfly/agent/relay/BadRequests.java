package dev.mayfly.agent.relay;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Requests that a guest bound to job 7, which depends on job 3, may not make, made up from a seed. Each also carries a
 * well-formed request for job 8 behind it or within, which must never count as one.
 */
final class BadRequests {

    private static final String HIDDEN =
            "PUT /api/v4/jobs/8 HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n\r\n{\"state\":\"success\"}";
    private static final List<String> OWN = List.of(
            "PUT /api/v4/jobs/7",
            "PATCH /api/v4/jobs/7/trace",
            "POST /api/v4/jobs/7/artifacts",
            "GET /api/v4/jobs/7/artifacts",
            "GET /api/v4/jobs/3/artifacts");

    private static final Set<String> ENDLESS = Set.of("two ends", "chunk", "line end", "noise", "flood", "almost good");

    private final Random random;
    private final List<Kind> kinds = List.of(
            new Kind("another's job", this::anotherJob),
            new Kind("path", this::path),
            new Kind("method", this::method),
            new Kind("two ends", this::twoEnds),
            new Kind("length", this::length),
            new Kind("chunk", this::chunk),
            new Kind("header", this::header),
            new Kind("line end", this::lineEnd),
            new Kind("version", this::version),
            new Kind("noise", this::noise),
            new Kind("flood", this::flood));

    BadRequests(long seed) {
        random = new Random(seed);
    }

    private record Kind(String name, Supplier<String> make) {}

    /**
     * One request.
     *
     * @param text its bytes, as ISO 8859-1
     */
    record Bad(String kind, String text) {

        byte[] bytes() {
            return text.getBytes(StandardCharsets.ISO_8859_1);
        }

        /** Whether the relay may have to wait for more of it. */
        boolean isEndless() {
            return ENDLESS.contains(kind);
        }

        @Override
        public String toString() {
            return kind + ": "
                    + text.substring(0, Math.min(text.length(), 300))
                            .replace("\r", "\\r")
                            .replace("\n", "\\n\n");
        }
    }

    Bad next() {
        // Floods are large: one in fifty.
        Kind kind = kinds.get(random.nextInt(50) == 0 ? kinds.size() - 1 : random.nextInt(kinds.size() - 1));
        return new Bad(kind.name(), kind.make().get());
    }

    /** A request of a VM's own that is in order, with a byte or more changed: anything may come of it. */
    Bad almostGood() {
        StringBuilder text = new StringBuilder(own() + " HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: job-token-7\r\n"
                + oneOf(
                        "Content-Length: 10\r\n\r\n0123456789",
                        "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
                + HIDDEN);
        for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
            int at = random.nextInt(text.length() - HIDDEN.length());
            char put = random.nextBoolean()
                    ? oneOf("\r", "\n", " ", ":", "\t", "\0", ",", "%").charAt(0)
                    : anyByte();
            switch (random.nextInt(3)) {
                case 0 -> text.setCharAt(at, put);
                case 1 -> text.insert(at, put);
                default -> text.deleteCharAt(at);
            }
        }
        return new Bad("almost good", text.toString());
    }

    /** What the VM of job 7 might send. */
    String good() {
        return whole(own());
    }

    private String anotherJob() {
        long other = random.nextBoolean() ? 8 : 10 + random.nextLong(Long.MAX_VALUE / 2);
        return whole(oneOf(
                oneOf(OWN).replaceAll("jobs/\\d+", "jobs/" + other),
                "PUT /api/v4/jobs/3",
                "PATCH /api/v4/jobs/3/trace",
                "POST /api/v4/jobs/3/artifacts",
                "GET /api/v4/jobs/" + other + "/artifacts?job=7",
                oneOf(OWN).replaceAll("jobs/\\d+", "jobs/" + other + oneOf("?id=7", "?job_id=7", "?/jobs/7"))));
    }

    private String path() {
        String[] own = own().split(" ", -1);
        String path = own[1];
        int at = oneOf(List.of(
                0,
                "/api".length(),
                "/api/v4".length(),
                "/api/v4/jobs".length(),
                "/api/v4/jobs/7".length(),
                path.length()));
        String within = oneOf(
                "/..",
                "/../jobs/8/..",
                "/.",
                "/%2e%2e",
                "/%2E%2E/8",
                "%2F..%2F8",
                "%2f",
                "//",
                "/",
                ";",
                ";x=/8",
                "#",
                "\\",
                "\\..\\8",
                "/%2e",
                "%00",
                "\0",
                "%",
                "%zz",
                "/8",
                "8%20",
                "\u00a0",
                "%c0%ae%c0%ae/",
                "/..;/8",
                "%23",
                "%3f",
                "%252e%252e",
                "{",
                "|");
        String tricked = path.substring(0, at) + within + path.substring(at);
        return whole(own[0] + " "
                + oneOf(
                        tricked,
                        tricked,
                        tricked,
                        "http://gitlab.example.com" + path,
                        "http://169.254.169.254" + path,
                        "//gitlab.example.com" + path,
                        "/gitlab" + path,
                        path.substring(1),
                        path.replace("api", oneOf("API", "%61pi", "api ")),
                        path.replaceFirst(
                                "jobs/(\\d)",
                                oneOf(
                                        "jobs/0$1",
                                        "jobs/+$1",
                                        "jobs/%3$1",
                                        "jobs/$1.0",
                                        "jobs/-$1",
                                        "jobs/8$1",
                                        "jobs/\u00b2$1")),
                        path + "?x=" + oneOf("\0", "\u0001", "<", "\"", "\\", "#", "`", "\u00ff"),
                        "*"));
    }

    private String method() {
        String path = own().split(" ", -1)[1];
        return oneOf(
                whole(oneOf(
                                "DELETE",
                                "OPTIONS",
                                "TRACE",
                                "HEAD",
                                "PROPFIND",
                                "LOCK",
                                "put",
                                "Patch",
                                "PUTS",
                                "P\0UT",
                                "PU T")
                        + " " + path),
                "CONNECT " + oneOf("gitlab.example.com:443", "127.0.0.1:22", "x") + " HTTP/1.1\r\nHost: x\r\n\r\n"
                        + HIDDEN,
                whole(oneOf(
                        "PATCH /api/v4/jobs/7",
                        "GET /api/v4/jobs/7",
                        "PUT /api/v4/jobs/7/artifacts",
                        "GET /api/v4/jobs/7/trace",
                        "POST /api/v4/runners",
                        "DELETE /api/v4/runners",
                        "GET /api/v4/user",
                        "POST /api/v4/jobs/7/artifacts/authorize",
                        "GET /api/v4/job",
                        "POST /api/v4/jobs/request/",
                        "GET /-/metrics",
                        "POST /api/graphql",
                        "PUT /api/v4/projects/1/jobs/8/cancel")));
    }

    private String twoEnds() {
        String length = "Content-Length: " + oneOf("5", "0", "30", "" + HIDDEN.length()) + "\r\n";
        String chunked = oneOf(
                "Transfer-Encoding: chunked\r\n",
                "transfer-encoding:chunked\r\n",
                "Transfer-Encoding: \t chunked \r\n");
        String framing = oneOf(
                chunked + length,
                length + chunked,
                "Content-Length: 2\r\nContent-Length: " + (3 + random.nextInt(90)) + "\r\n",
                "Content-Length: 2, 90\r\n",
                chunked + "Transfer-Encoding: " + oneOf("identity", "chunked", "gzip") + "\r\n",
                "Transfer-Encoding: "
                        + oneOf(
                                "identity",
                                "gzip, chunked",
                                "chunked, identity",
                                "xchunked",
                                "chunked;q=1",
                                "chunke",
                                "\u000bchunked",
                                "\"chunked\"",
                                "chunked,")
                        + "\r\n" + oneOf("", length),
                "Transfer-Encoding:\r\n chunked\r\n" + length,
                "Content-Length: 2\r\n 0\r\n",
                "Content-Length\u00a0: 2\r\n" + chunked + length);
        return own() + " HTTP/1.1\r\nHost: x\r\n" + framing + "\r\n" + oneOf("0\r\n\r\n", "{}", "") + HIDDEN;
    }

    private String length() {
        return own() + " HTTP/1.1\r\nHost: x\r\nContent-Length: "
                + oneOf(
                        "+2",
                        "-1",
                        "2 2",
                        "0x2",
                        "1e1",
                        "2.0",
                        "99999999999999999999",
                        "two",
                        "2;3",
                        "\u00b2",
                        "'2'",
                        "--2")
                + "\r\n\r\n{}" + HIDDEN;
    }

    private String chunk() {
        String chunk = oneOf(
                "-2\r\nab\r\n",
                "0x2\r\nab\r\n",
                "+2\r\nab\r\n",
                "g\r\nab\r\n",
                "\r\n",
                "2\r\nabc\r\n",
                "2\r\nab",
                "ffffffffffffffff\r\nab\r\n",
                "80000000\r\nab\r\n".replace("8", "-8"),
                "two\r\n",
                "2\r\nab\n\n",
                "2\nab\r\n",
                "2\r\r\nab\r\n",
                "\0\r\n",
                "2,2\r\nab\r\n",
                "'2'\r\nab\r\n");
        return oneOf(OWN.subList(0, 3)) + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                + oneOf("", "2\r\nab\r\n") + chunk + "0\r\n\r\n" + HIDDEN;
    }

    private String header() {
        String header = oneOf(
                "Content-Length : 2",
                "JOB-TOKEN : x",
                "X A: b",
                ": b",
                "no colon",
                "X-A\0: b",
                "X-A: a\0b",
                "X-A: a\rJOB-TOKEN: other",
                "X-A: a\u000bb\r",
                "X(A): b",
                "X\u00e4: b",
                "\"X\": b",
                "X-A: \u0001",
                "X-A: a\u007fb",
                "X@A: b",
                "X[A]: b");
        return oneOf(
                own() + " HTTP/1.1\r\nHost: x\r\n" + header + "\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN,
                own() + " HTTP/1.1\r\n" + header + "\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN);
    }

    private String lineEnd() {
        return whole(own()).replace("\r\n", oneOf("\n", "\r", "\n\r", "\r\r\n", "\0\r\n", "\u0085"));
    }

    private String version() {
        return own()
                + oneOf(
                        "",
                        " ",
                        " HTTP/2.0",
                        " HTTP/0.9",
                        " HTTP/1.11",
                        " HTTP/11",
                        " HTTP",
                        " HTTP/1.1 x",
                        " HTTPS/1.1",
                        " ICY/1.0",
                        " HTTP/a.b",
                        " RTSP/1.0",
                        " HTTP/1.1\u000b",
                        " HTTP/-1.1",
                        " HTTP/1,1")
                + "\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN;
    }

    private String noise() {
        StringBuilder noise = new StringBuilder(
                oneOf("", "\26\3\1\2\0\1\0\1\374\3\3", "SSH-2.0-x\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET\r\n"));
        for (int left = random.nextInt(300); left > 0; left--) {
            noise.append(anyByte());
        }
        return noise + oneOf("\r\n\r\n", "\n\n", "") + HIDDEN;
    }

    private String flood() {
        String head = own() + " HTTP/1.1\r\nHost: x\r\n";
        return oneOf(
                own() + "?" + "a".repeat(70_000 + random.nextInt(200_000)) + " HTTP/1.1\r\nHost: x\r\n\r\n",
                head + "X-Long: " + "a".repeat(70_000 + random.nextInt(200_000)) + "\r\n\r\n",
                head + "a".repeat(70_000) + ": b\r\n\r\n",
                head + ("X-Many: " + "a".repeat(20) + "\r\n").repeat(5_000) + "\r\n",
                head + "a:\r\n".repeat(40_000) + "\r\n",
                "\r\n".repeat(100_000),
                oneOf(OWN.subList(0, 3)) + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;"
                        + "x".repeat(200_000) + "\r\nab\r\n0\r\n\r\n",
                oneOf(OWN.subList(0, 3)) + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                        + "X-T: 1\r\n".repeat(20_000) + "\r\n");
    }

    private static String whole(String line) {
        return line + " HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: job-token-7\r\nContent-Length: 2\r\n\r\n{}";
    }

    private String own() {
        return oneOf(OWN);
    }

    private char anyByte() {
        return (char) random.nextInt(256);
    }

    private String oneOf(String... choices) {
        return choices[random.nextInt(choices.length)];
    }

    private <T> T oneOf(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}
