package dev.mayfly.agent.relay;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * Takes what the relay passes on and holds it to the letter of RFC 9112, by a parser that has nothing in common with the
 * relay's. It answers 200 to each request that came whole, and reads on: nothing may follow.
 */
final class StrictGitLab implements AutoCloseable {

    private static final Pattern NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
    private static final Pattern VALUE = Pattern.compile("[\\t\\x20-\\x7e\\x80-\\xff]*");
    private static final Pattern CHUNK = Pattern.compile("[0-9a-f]{1,8}");
    private static final int MOST_HEAD = 1 << 18;

    /** Of requests that came whole: method and target. */
    final List<String> whole = new CopyOnWriteArrayList<>();
    /** What should never have come. */
    final List<String> broken = new CopyOnWriteArrayList<>();

    final AtomicLong connections = new AtomicLong();

    private final ServerSocket server = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    private final ExecutorService threads = Executors.newCachedThreadPool();

    StrictGitLab() throws IOException {
        threads.execute(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    /** A socket's end; what follows is not wanted. */
    private static final class CutOff extends IOException {
        private static final long serialVersionUID = 1;
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                connections.incrementAndGet();
                threads.execute(() -> serve(socket));
            }
        } catch (IOException closed) {
            // by close()
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            String line = request(in);
            whole.add(line);
            socket.getOutputStream().write(ascii("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
            if (in.read() >= 0) {
                broken.add("something follows " + line);
            }
        } catch (CutOff ended) {
            // A request that is cut off does nothing.
        } catch (IOException reset) {
            // The relay left.
        } catch (IllegalStateException e) {
            broken.add(e.getMessage());
        }
    }

    private static String request(InputStream in) throws IOException {
        String[] line = line(in).split(" ", -1);
        check(line.length == 3 && line[2].equals("HTTP/1.1"), "request line", String.join(" ", line));
        String target = line[0] + " " + line[1];
        long length = 0;
        int framings = 0;
        boolean chunked = false;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            String[] field = field(header);
            if (field[0].equals("content-length")) {
                framings++;
                check(field[1].matches("[0-9]{1,18}"), "length", header);
                length = Long.parseLong(field[1]);
            } else if (field[0].equals("transfer-encoding")) {
                framings++;
                check(field[1].equals("chunked"), "coding", header);
                chunked = true;
            }
        }
        check(framings <= 1, "two ends", target);
        if (chunked) {
            chunks(in);
        } else {
            skip(in, length);
        }
        return target;
    }

    private static void chunks(InputStream in) throws IOException {
        while (true) {
            String size = line(in);
            check(CHUNK.matcher(size).matches(), "chunk size", size);
            int length = Integer.parseInt(size, 16);
            if (length == 0) {
                break;
            }
            skip(in, length);
            check(line(in).isEmpty(), "chunk's end", size);
        }
        for (String trailer = line(in); !trailer.isEmpty(); trailer = line(in)) {
            field(trailer);
        }
    }

    private static String[] field(String header) {
        int colon = header.indexOf(':');
        check(colon > 0 && NAME.matcher(header.substring(0, colon)).matches(), "header", header);
        String value = header.substring(colon + 1);
        check(VALUE.matcher(value).matches(), "header", header);
        return new String[] {header.substring(0, colon).toLowerCase(Locale.ROOT), value.strip()};
    }

    /** Up to CR LF; neither stands alone. */
    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        while (true) {
            int next = read(in);
            if (next == '\r') {
                check(read(in) == '\n', "a CR alone after", line.toString());
                return line.toString();
            }
            check(next != '\n', "an LF alone after", line.toString());
            line.append((char) next);
            check(line.length() < MOST_HEAD, "endless line", "");
        }
    }

    private static void skip(InputStream in, long length) throws IOException {
        for (long left = length; left > 0; left--) {
            read(in);
        }
    }

    private static int read(InputStream in) throws IOException {
        int next = in.read();
        if (next < 0) {
            throw new CutOff();
        }
        return next;
    }

    private static void check(boolean right, String what, String where) {
        if (!right) {
            throw new IllegalStateException(what + ": '" + where + "'");
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void close() throws IOException {
        server.close();
        threads.shutdownNow();
    }
}
