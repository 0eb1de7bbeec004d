package dev.mayfly.agent.relay;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A relay in a process of its own, with the flags of an agent. The guest at 127.0.1.N is bound to job N. */
final class RelayAlone implements AutoCloseable {

    /** What a job of thousands of variables and a long script has. */
    static final int PAYLOAD = 4 << 20;

    private static final Path AGENT = Path.of("..", "bin", "agent");
    private static final Pattern FLAGS = Pattern.compile("(?m)^flags=\"(.*)\"$");

    private final Process process;
    private final InetSocketAddress address;

    private RelayAlone(Process process, InetSocketAddress address) {
        this.process = process;
        this.address = address;
    }

    static RelayAlone start(int gitlabPort) throws IOException {
        Matcher flags = FLAGS.matcher(Files.readString(AGENT));
        if (!flags.find()) {
            throw new IOException(AGENT.toAbsolutePath() + " names no flags");
        }
        List<String> command =
                new ArrayList<>(List.of(ProcessHandle.current().info().command().orElse("java")));
        command.addAll(List.of(flags.group(1).split(" ", -1)));
        command.addAll(
                List.of("-cp", System.getProperty("java.class.path"), RelayAlone.class.getName(), "" + gitlabPort));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("MALLOC_ARENA_MAX", "2");
        Process process = builder.start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            if (line.startsWith("port ")) {
                Executors.newSingleThreadExecutor(task -> daemon(task))
                        .execute(() -> out.lines().forEach(rest -> {}));
                return new RelayAlone(
                        process,
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(line.substring(5))));
            }
        }
        throw new IOException("the relay's process ended before it listened");
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "relay's output");
        thread.setDaemon(true);
        return thread;
    }

    boolean lives() {
        return process.isAlive();
    }

    /** A connection of the guest bound to {@code job}. */
    Socket guest(int job) throws IOException {
        Socket socket = new Socket(address.getAddress(), address.getPort(), InetAddress.getByName("127.0.1." + job), 0);
        socket.setSoTimeout(60_000);
        return socket;
    }

    /** Resident memory, heap and buffers alike. */
    double residentMib() throws IOException {
        return Files.readAllLines(Path.of("/proc", "" + process.pid(), "status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) / 1024)
                .findFirst()
                .orElseThrow(() -> new IOException("the relay's process has ended"));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** @param args GitLab's port at this address */
    public static void main(String[] args) throws Exception {
        Upstream upstream = new Upstream("127.0.0.1", Integer.parseInt(args[0]), "", null, Duration.ofSeconds(10));
        CompletableFuture<Optional<byte[]>> payload = CompletableFuture.completedFuture(Optional.of(new byte[PAYLOAD]));
        try (Relay relay =
                new Relay(RelaySettings.standard(), peer -> Optional.of(job(peer, upstream, payload)), Runnable::run)) {
            relay.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            System.out.println("port " + relay.address().getPort());
            new CompletableFuture<Void>().get();
        }
    }

    private static RelayedVm job(InetAddress peer, Upstream upstream, CompletableFuture<Optional<byte[]>> payload) {
        RelayBetween.Job job = new RelayBetween.Job(peer.getAddress()[3] & 0xff);
        job.upstream = upstream;
        job.payload = payload;
        return job;
    }
}
