package dev.mayfly.agent.registry;

import dev.mayfly.agent.process.Commands;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Starts {@code docker-registry} over a store: as a user id that nothing else has, without capabilities, reached by a UNIX
 * socket. It works in the store's folder and names it relatively, so no folder above need be open to it.
 */
final class RegistryPrograms {

    private final Commands commands;
    private final Path program;
    private final int uid;
    private final Path sockets;
    private final @Nullable Path caFile;
    private final AtomicInteger started = new AtomicInteger();

    /**
     * Starts nothing yet.
     *
     * @param uid user and group id of the processes
     * @param sockets folder for sockets, which every folder above lets others pass
     * @param caFile private CA certificates that upstreams are trusted by besides the machine's, null for none
     */
    RegistryPrograms(Commands commands, Path program, int uid, Path sockets, @Nullable Path caFile) {
        this.commands = commands;
        this.program = program;
        this.uid = uid;
        this.sockets = sockets;
        this.caFile = caFile;
    }

    /** Of images that are there; nobody changes them through it. */
    RegistryProcess readOnly(String name, Path store) throws IOException {
        commands.run("chmod", "-R", "u=rwX,go=rX", store.toString());
        return start(name, store, "  maintenance: {readonly: {enabled: true}}\n", "");
    }

    /** Of what an upstream has, fetched when it is asked for and kept; the store becomes its own. */
    RegistryProcess passingThrough(String name, Path store, URI upstream) throws IOException {
        own(Files.createDirectories(store.resolve("storage")));
        return start(name, store, "", "proxy: {remoteurl: '%s'}\n".formatted(upstream));
    }

    private RegistryProcess start(String name, Path store, String storage, String more) throws IOException {
        Path folder = sockets.resolve(Integer.toString(started.incrementAndGet()));
        own(Files.createDirectories(folder));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        Path socket = folder.resolve("s");
        Files.createDirectories(store.resolve("storage"));
        Files.writeString(store.resolve("config.yml"), """
                version: 0.1
                log: {level: error, accesslog: {disabled: true}}
                storage:
                  filesystem: {rootdirectory: storage}
                %shttp: {net: unix, addr: '%s'}
                %s""".formatted(storage, socket, more));
        Files.setPosixFilePermissions(store, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(store.resolve("config.yml"), PosixFilePermissions.fromString("rw-r--r--"));
        List<String> argv = new ArrayList<>(List.of("env", "--chdir=" + store));
        if (caFile != null) {
            Path own = store.resolve("ca.pem");
            Files.copy(caFile, own, StandardCopyOption.REPLACE_EXISTING);
            Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rw-r--r--"));
            argv.add("SSL_CERT_FILE=ca.pem"); // besides those of /etc/ssl/certs
        }
        argv.addAll(List.of(
                "setpriv",
                "--reuid=" + uid,
                "--regid=" + uid,
                "--clear-groups",
                "--no-new-privs",
                "--pdeathsig=KILL",
                program.toString(),
                "serve",
                "config.yml"));
        return RegistryProcess.start(commands, name, argv, socket);
    }

    private void own(Path folder) throws IOException {
        Files.setAttribute(folder, "unix:uid", uid);
        Files.setAttribute(folder, "unix:gid", uid);
    }
}
