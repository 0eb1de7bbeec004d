package dev.mayfly.agent.relay;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/** Takes bodies of any size and answers with their checksum; sends bodies of any size, each block of which is another. */
final class BulkGitLab implements AutoCloseable {

    private static final int BLOCK = 1 << 16;
    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: (\\d+)\r\n");
    private static final Pattern SIZE = Pattern.compile("\\?size=(\\d+) ");
    private static final Pattern RANGE = Pattern.compile("(?i)\r\ncontent-range: (\\S+)\r\n");

    private final ServerSocket server = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final int pauseMillis;

    /** @param pauseMillis after each block that it reads */
    BulkGitLab(int pauseMillis) throws IOException {
        this.pauseMillis = pauseMillis;
        threads.execute(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                threads.execute(() -> serve(socket));
            }
        } catch (IOException closed) {
            // by close()
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            String head = RelayBetween.head(socket);
            Matcher size = SIZE.matcher(head);
            if (size.find()) {
                long wanted = Long.parseLong(size.group(1));
                RelayBetween.write(
                        socket, "HTTP/1.1 200 Here\r\nX-Kept: yes\r\nContent-Length: %d\r\n\r\n".formatted(wanted));
                send(socket.getOutputStream(), wanted);
                return;
            }
            Matcher length = LENGTH.matcher(head);
            Matcher range = RANGE.matcher(head);
            long sum =
                    receive(socket.getInputStream(), length.find() ? Long.parseLong(length.group(1)) : 0, pauseMillis);
            RelayBetween.write(
                    socket,
                    "HTTP/1.1 201 Stored\r\nX-Sum: %d\r\nX-Range: %s\r\nContent-Length: 0\r\n\r\n"
                            .formatted(sum, range.find() ? range.group(1) : "none"));
        } catch (IOException cut) {
            // The guest sees no answer.
        }
    }

    /** Sends a body of this size, and returns its checksum. */
    static long send(OutputStream to, long size) throws IOException {
        return make(to, size);
    }

    /** The checksum of a body of this size. */
    static long sumOf(long size) throws IOException {
        return make(OutputStream.nullOutputStream(), size);
    }

    private static long make(OutputStream to, long size) throws IOException {
        byte[] block = new byte[BLOCK];
        new Random(0).nextBytes(block);
        CRC32 sum = new CRC32();
        for (long at = 0; at < size; at += BLOCK) {
            ByteBuffer.wrap(block).putLong(at);
            int length = (int) Math.min(BLOCK, size - at);
            sum.update(block, 0, length);
            to.write(block, 0, length);
        }
        return sum.getValue();
    }

    /** The checksum of what comes. */
    static long receive(InputStream from, long size, int pauseMillis) throws IOException {
        byte[] block = new byte[BLOCK];
        CRC32 sum = new CRC32();
        long left = size;
        while (left > 0) {
            int read = from.read(block, 0, (int) Math.min(BLOCK, left));
            if (read < 0) {
                throw new EOFException(left + " of " + size + " bytes are missing");
            }
            sum.update(block, 0, read);
            left -= read;
            pause(pauseMillis);
        }
        return sum.getValue();
    }

    /** Being slow is what is tested. */
    private static void pause(int millis) throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        threads.shutdownNow();
    }
}
