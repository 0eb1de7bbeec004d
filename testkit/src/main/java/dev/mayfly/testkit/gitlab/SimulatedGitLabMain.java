package dev.mayfly.testkit.gitlab;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** {@code bin/simulated-gitlab}: runs until it is ended. */
public final class SimulatedGitLabMain {
    private static final String HELP = """
            usage: simulated-gitlab --listen ADDRESS:PORT --data DIR [options]

            A GitLab server as git, REST clients, runners and webhook receivers see it.

              --listen ADDRESS:PORT      where to listen; port 0 takes a free one
              --data DIR                 repositories, logs, artifacts, root-token and tls/ca.pem lie here
              --hostname NAME            name in its URLs and in its certificate (default: ADDRESS)
              --plain                    http instead of https
              --two-phase true|false     claimed jobs wait for the runner's word (default: true)
              --acknowledge-seconds N    how long they wait (default: 120)
              --root-token TOKEN-FILE    file with root's access token (default: DIR/root-token, made if missing)
              --trust PEM-FILE           trust this certificate of webhook receivers; may be repeated
              --help                     this text
            """;

    private final List<String> arguments;
    private @Nullable String listen;
    private @Nullable Path data;
    private @Nullable String hostname;
    private boolean plain;
    private boolean twoPhase = true;
    private int acknowledgeSeconds = 120;
    private @Nullable Path rootTokenFile;
    private final List<Path> trusted = new ArrayList<>();

    private SimulatedGitLabMain(List<String> arguments) {
        this.arguments = new ArrayList<>(arguments);
    }

    public static void main(String[] arguments) throws Exception {
        List<String> all = List.of(arguments);
        if (all.contains("--help") || all.contains("-h")) {
            System.out.print(HELP);
            return;
        }
        try {
            new SimulatedGitLabMain(all).run();
        } catch (IllegalArgumentException e) {
            System.err.println("simulated-gitlab: " + e.getMessage());
            System.err.print(HELP);
            System.exit(2);
        } catch (IOException e) {
            System.err.println("simulated-gitlab: cannot start: " + e.getMessage());
            System.exit(1);
        }
    }

    private void run() throws IOException, InterruptedException {
        parse();
        SimulatedGitLab gitlab = SimulatedGitLab.start(options());
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            gitlab.close();
            ended.countDown();
        }));
        System.out.println("simulated-gitlab ready at " + gitlab.url());
        if (gitlab.caPem() != null) {
            System.out.println("certificate to trust: " + gitlab.caPem());
        }
        System.out.println("root's token: " + data + "/root-token");
        ended.await();
    }

    private void parse() {
        while (!arguments.isEmpty()) {
            String option = arguments.remove(0);
            switch (option) {
                case "--listen" -> listen = value(option);
                case "--data" -> data = Path.of(value(option));
                case "--hostname" -> hostname = value(option);
                case "--plain" -> plain = true;
                case "--two-phase" -> twoPhase = bool(option);
                case "--acknowledge-seconds" -> acknowledgeSeconds = number(option);
                case "--root-token" -> rootTokenFile = Path.of(value(option));
                case "--trust" -> trusted.add(Path.of(value(option)));
                default -> throw new IllegalArgumentException("unknown option " + option);
            }
        }
    }

    private SimulatedGitLabOptions options() throws IOException {
        if (listen == null || data == null) {
            throw new IllegalArgumentException("--listen and --data are needed");
        }
        int colon = listen.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("--listen wants ADDRESS:PORT, not " + listen);
        }
        InetAddress address = InetAddress.getByName(listen.substring(0, colon).replaceAll("[\\[\\]]", ""));
        int port = Integer.parseInt(listen.substring(colon + 1));
        String rootToken = rootTokenFile == null
                ? null
                : java.nio.file.Files.readString(rootTokenFile).strip();
        return new SimulatedGitLabOptions(
                new InetSocketAddress(address, port),
                hostname,
                data,
                plain,
                twoPhase,
                acknowledgeSeconds,
                rootToken,
                trusted,
                Clock.systemUTC());
    }

    private String value(String option) {
        if (arguments.isEmpty()) {
            throw new IllegalArgumentException(option + " wants a value");
        }
        return arguments.remove(0);
    }

    private boolean bool(String option) {
        String value = value(option);
        if (!value.equals("true") && !value.equals("false")) {
            throw new IllegalArgumentException(option + " wants true or false, not " + value);
        }
        return value.equals("true");
    }

    private int number(String option) {
        String value = value(option);
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + " wants a number, not " + value, e);
        }
    }
}
