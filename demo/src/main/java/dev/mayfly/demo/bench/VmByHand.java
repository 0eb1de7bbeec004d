package dev.mayfly.demo.bench;

import dev.mayfly.agent.guest.FrameCodec;
import dev.mayfly.agent.guest.GuestChannel;
import dev.mayfly.agent.guest.GuestIdentity;
import dev.mayfly.agent.guest.UnixStream;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.DemoNetwork;
import dev.mayfly.demo.Servers;
import dev.mayfly.demo.Shell;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A VM as a person would start it: the very QEMU command line of one of Mayfly's VMs, in a network namespace with a tap,
 * without guard, jail, control groups and journal. Its runner talks to GitLab itself.
 */
final class VmByHand implements AutoCloseable {

    private static final int FIRST_MACHINE = 100;
    private static final long READY_WITHIN_SECONDS = 180;

    private static final String RESTORE = """
            {"execute":"qmp_capabilities"}
            {"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"x-ignore-shared","state":true}]}}
            {"execute":"migrate-incoming","arguments":{"uri":"fd:100"}}
            """;

    private final DemoCluster cluster;
    private final int number;
    private final Path folder;
    private final Path agentSocket;
    private final String namespace;
    private final Process qemu;
    private final Instant begun;

    /**
     * Starts it; {@code argv} is Mayfly's.
     *
     * @param diskMib as large as Mayfly's
     * @param template folder of the template that Mayfly's is a clone of; null if it boots
     */
    VmByHand(DemoCluster cluster, int number, List<String> argv, int diskMib, @Nullable Path template) {
        this.cluster = cluster;
        this.number = number;
        // Named so that whoever removes what an interrupted run left finds it.
        this.folder = cluster.options().work().resolve("by-hand").resolve(cluster.installation() + "-" + number);
        this.agentSocket = folder.resolve("agent.sock");
        Path scratch = folder.resolve("scratch.ext4");
        Path origin = template == null ? cluster.options().image() : template;
        Servers.write(folder.resolve("made-by"), "bin/bench\n");
        Shell.run("cp", "--sparse=auto", origin.resolve("scratch.ext4").toString(), scratch.toString());
        Shell.run("fallocate", "--length", diskMib + "MiB", scratch.toString());
        this.namespace = network();
        List<String> command = argv.stream()
                .map(word -> word.replaceFirst("^unix:[^,]+", "unix:" + folder.resolve("qmp.sock"))
                        .replaceFirst("^socket,id=agent,path=[^,]+", "socket,id=agent,path=" + agentSocket)
                        .replaceFirst("^id=scratch,file=[^,]+", "id=scratch,file=" + scratch))
                .toList();
        this.begun = Instant.now();
        this.qemu = start(DemoNetwork.inside(namespace, template == null ? command : ofTemplate(template, command)));
        if (template != null) {
            restore();
        }
    }

    /** Its memory is the template's own file, of which it changes nothing: the fastest way there is. */
    private static List<String> ofTemplate(Path template, List<String> command) {
        List<String> clone =
                new ArrayList<>(List.of("bash", "-c", "exec \"$@\" 100<" + template.resolve("state"), "bash"));
        command.stream()
                .map(word -> word.replaceFirst("mem-path=[^,]+,share=off", "mem-path=" + template + "/ram,share=off"))
                .forEach(clone::add);
        return clone;
    }

    private void restore() {
        try (UnixStream qmp = connect(folder.resolve("qmp.sock"))) {
            qmp.write(ByteBuffer.wrap(RESTORE.getBytes(StandardCharsets.UTF_8)));
            BufferedReader answers = new BufferedReader(new InputStreamReader(qmp.in(), StandardCharsets.UTF_8));
            for (long returned = 0; returned < RESTORE.lines().count(); ) {
                String answer = answers.readLine();
                if (answer == null || answer.contains("\"error\"")) {
                    throw new IOException("QEMU says " + answer);
                }
                returned += answer.contains("\"return\"") ? 1 : 0;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("can't tell QEMU to restore a VM", e);
        }
    }

    /** QEMU's socket is there a moment before it listens. */
    private UnixStream connect(Path socket) throws IOException {
        while (true) {
            try {
                return UnixStream.connect(socket);
            } catch (IOException notYet) {
                if (!qemu.isAlive()) {
                    throw notYet;
                }
                LockSupport.parkNanos(1_000_000); // as closely as the driver looks
            }
        }
    }

    private String network() {
        String made = cluster.network().addMachine("by-hand-" + number, FIRST_MACHINE + number);
        Shell.run("ip", "-n", made, "tuntap", "add", "tap0", "mode", "tap");
        Shell.run("ip", "-n", made, "address", "add", AddressPlan.GATEWAY + "/30", "dev", "tap0");
        Shell.run("ip", "-n", made, "link", "set", "tap0", "up");
        Shell.run(DemoNetwork.inside(
                made,
                List.of(
                        "nft",
                        "add table ip by_hand; "
                                + "add chain ip by_hand out { type nat hook postrouting priority srcnat; }; "
                                + "add rule ip by_hand out oifname eth0 masquerade")));
        return made;
    }

    private Process start(List<String> command) {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("console.log").toFile())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("can't start QEMU by hand", e);
        }
    }

    Instant begun() {
        return begun;
    }

    /** Waits until the guest is configured; returns when that was. */
    Instant awaitReady() {
        GuestIdentity identity = new GuestIdentity(
                "by-hand",
                "0123456789abcdef0123456789abcdef",
                "nameserver %s\n".formatted(cluster.network().address(DemoCluster.GITLAB_MACHINE)),
                Servers.read(cluster.files().gitlabCa()) + "\n",
                AddressPlan.GUEST + "/30",
                AddressPlan.GATEWAY);
        try (GuestChannel channel = new GuestChannel("by-hand-" + number, agentSocket, identity, Clock.systemUTC())) {
            channel.open();
            return channel.ready().thenApply(ready -> Instant.now()).get(READY_WITHIN_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a guest boots", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(
                    "the guest started by hand does not answer; its console is " + folder.resolve("console.log"), e);
        }
    }

    /** Has the guest run one job of the runner with this token. */
    void startRunner(String token) {
        FrameCodec codec = new FrameCodec();
        try (UnixStream stream = UnixStream.connect(agentSocket)) {
            stream.write(codec.encode(codec.frame("start-runner")
                    .put("executor", "shell")
                    .put("url", "https://" + DemoCluster.GITLAB_NAME)
                    .put("token", token)
                    .put("name", "by-hand")));
        } catch (IOException e) {
            throw new UncheckedIOException("can't tell the guest to start its runner", e);
        }
    }

    /** Ends it and removes all that was made for it; returns how long that took. */
    Duration remove() {
        Instant end = Instant.now();
        close();
        return Duration.between(end, Instant.now());
    }

    @Override
    public void close() {
        try {
            qemu.destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Shell.tryRun(List.of("ip", "netns", "delete", namespace));
        Servers.deleteTree(folder);
    }
}
