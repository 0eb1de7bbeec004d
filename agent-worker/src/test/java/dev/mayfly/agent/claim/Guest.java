package dev.mayfly.agent.claim;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** Talks to the relay from an address of its own, as the runner in a VM does. */
final class Guest {

    private final InetSocketAddress relay;
    private final InetAddress own;

    Guest(InetSocketAddress relay, String own) throws IOException {
        this.relay = relay;
        this.own = InetAddress.getByName(own);
    }

    /** @param text status line, headers and body as they came */
    record Answer(int status, String text) {

        String body() {
            return text.substring(text.indexOf("\r\n\r\n") + 4);
        }
    }

    Answer requestJob() throws IOException {
        return send("POST", "/api/v4/jobs/request", "{\"token\":\"x\"}");
    }

    Answer put(long job, String state) throws IOException {
        return send("PUT", "/api/v4/jobs/" + job, "{\"token\":\"job-token-" + job + "\",\"state\":\"" + state + "\"}");
    }

    Answer patch(long job, int start, String text) throws IOException {
        return send(
                "PATCH",
                "/api/v4/jobs/" + job + "/trace",
                text,
                "JOB-TOKEN: job-token-" + job,
                "Content-Range: " + start + "-" + (start + text.length() - 1));
    }

    Answer send(String method, String path, String body, String... headers) throws IOException {
        try (Socket socket = connect()) {
            StringBuilder request = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: 169.254.169.254\r\n"
                    + "Content-Type: application/json\r\nContent-Length: "
                    + body.getBytes(StandardCharsets.UTF_8).length + "\r\n");
            for (String header : headers) {
                request.append(header).append("\r\n");
            }
            request.append("\r\n").append(body);
            socket.getOutputStream().write(request.toString().getBytes(StandardCharsets.UTF_8));
            return read(socket.getInputStream());
        }
    }

    Socket connect() throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(own, 0));
        socket.connect(relay);
        socket.setSoTimeout(20_000);
        return socket;
    }

    /** The relay closes after each answer, so an answer is all there is. */
    static Answer read(InputStream in) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        in.transferTo(all);
        String text = all.toString(StandardCharsets.UTF_8);
        if (!text.startsWith("HTTP/1.1 ")) {
            throw new IOException("no answer: '" + text + "'");
        }
        return new Answer(Integer.parseInt(text.substring(9, 12)), text);
    }
}
