package dev.mayfly.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** Small things that every server of the cluster needs: ports, secrets, files. */
public final class Servers {

    private static final SecureRandom RANDOM = new SecureRandom();

    private Servers() {}

    /** A port that is free now on this address. */
    static int freePort(String address) {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(address))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on " + address, e);
        }
    }

    static boolean answers(String address, int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), 1000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** A fresh secret in a file that only this user can read; returns the secret. */
    static String secretFile(Path file, int bytes) {
        byte[] random = new byte[bytes];
        RANDOM.nextBytes(random);
        String secret = Base64.getEncoder().encodeToString(random);
        write(file, secret);
        try {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            throw new UncheckedIOException("can't protect " + file, e);
        }
        return secret;
    }

    public static void write(Path file, String text) {
        try {
            createFolderOf(file);
            Files.writeString(file, text, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("can't write " + file, e);
        }
    }

    static void createFolderOf(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        try {
            Files.createDirectories(Objects.requireNonNull(folder, "a file is in a folder"));
        } catch (IOException e) {
            throw new UncheckedIOException("can't create " + folder, e);
        }
    }

    public static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("can't read " + file, e);
        }
    }

    public static Path temporaryFolder(String prefix) {
        try {
            return Files.createTempDirectory(prefix);
        } catch (IOException e) {
            throw new UncheckedIOException("no temporary folder", e);
        }
    }

    public static void deleteTree(Path folder) {
        Shell.run("rm", "-rf", "--one-file-system", folder.toString());
    }

    /** What is in a folder; nothing if there is none. */
    public static List<Path> list(Path folder) {
        try (Stream<Path> found = Files.list(folder)) {
            return found.toList();
        } catch (NoSuchFileException absent) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException("can't look into " + folder, e);
        }
    }

    /** Deletes this file and those beside it that begin with its name, as databases have them. */
    static void deleteFilesBeginningWith(Path file) {
        Path folder = Objects.requireNonNull(file.getParent(), "a file is in a folder");
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, file.getFileName() + "*")) {
            for (Path one : found) {
                Files.delete(one);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("can't delete " + file, e);
        }
    }
}
