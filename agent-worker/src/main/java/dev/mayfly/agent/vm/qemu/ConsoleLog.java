package dev.mayfly.agent.vm.qemu;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Reads the end of a console log without reading the rest. */
final class ConsoleLog {

    private static final int MOST_BYTES = 64 * 1024;

    private ConsoleLog() {}

    /** The last lines; bytes that are no UTF-8 become replacement characters. */
    static List<String> tail(Path file, int lines) throws IOException {
        try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "r")) {
            int length = (int) Math.min(MOST_BYTES, log.length());
            byte[] end = new byte[length];
            log.seek(log.length() - length);
            log.readFully(end);
            List<String> all = new String(end, StandardCharsets.UTF_8).lines().toList();
            return all.subList(Math.max(0, all.size() - lines), all.size());
        }
    }
}
