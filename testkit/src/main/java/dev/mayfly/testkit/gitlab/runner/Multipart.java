package dev.mayfly.testkit.gitlab.runner;

import dev.mayfly.testkit.gitlab.http.ApiException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the one file of a {@code multipart/form-data} body as it comes, without holding it. */
final class Multipart {
    private static final Pattern BOUNDARY = Pattern.compile("boundary=\"?([^\";]+)\"?");
    private static final Pattern FILENAME = Pattern.compile("filename=\"([^\"]*)\"");

    private final InputStream in;
    private final byte[] delimiter;
    private final byte[] buffer = new byte[1 << 16];
    private int at;
    private int end;

    Multipart(InputStream in, String contentType) {
        Matcher matcher = BOUNDARY.matcher(contentType);
        if (!matcher.find()) {
            throw ApiException.badRequest("no multipart boundary");
        }
        this.in = in;
        this.delimiter = ("\r\n--" + matcher.group(1)).getBytes(StandardCharsets.US_ASCII);
    }

    /** Skips to the part that is a file; its name. */
    String nextFile() throws IOException {
        String line = readLine();
        while (true) {
            Matcher matcher = FILENAME.matcher(line);
            if (matcher.find()) {
                while (!readLine().isEmpty()) {
                    // the part's other headers
                }
                return matcher.group(1);
            }
            line = readLine();
        }
    }

    /** Copies up to the delimiter. A body that ends before it was cut off. */
    long copyTo(OutputStream out, long limit) throws IOException {
        long copied = 0;
        int matched = 0;
        for (int c = read(); c >= 0; c = read()) {
            if (c == delimiter[matched]) {
                if (++matched == delimiter.length) {
                    in.transferTo(OutputStream.nullOutputStream());
                    return copied;
                }
                continue;
            }
            // The delimiter starts with CR, which occurs nowhere else in it: no other overlap is possible.
            out.write(delimiter, 0, matched);
            copied += matched;
            matched = c == delimiter[0] ? 1 : 0;
            if (matched == 0) {
                copied += copyRun(out);
            }
            if (copied > limit) {
                throw new ApiException(413, "413 Request Entity Too Large");
            }
        }
        throw new IOException("the upload was cut off after " + copied + " bytes");
    }

    /** The byte that was just read, and all that follow it in the buffer up to where a delimiter might begin. */
    private int copyRun(OutputStream out) throws IOException {
        int from = at - 1;
        while (at < end && buffer[at] != delimiter[0]) {
            at++;
        }
        out.write(buffer, from, at - from);
        return at - from;
    }

    private int read() throws IOException {
        if (at == end) {
            at = 0;
            end = Math.max(0, in.read(buffer));
        }
        return at == end ? -1 : buffer[at++] & 0xff;
    }

    private String readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c = read(); c >= 0; c = read()) {
            if (c == '\n') {
                return line.toString(StandardCharsets.UTF_8).strip();
            }
            line.write(c);
            if (line.size() > 8192) {
                throw ApiException.badRequest("part header too long");
            }
        }
        throw ApiException.badRequest("no file in the body");
    }
}
