package dev.mayfly.agent;

import ch.qos.logback.classic.LoggerContext;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.LeftOver;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code bin/agent}: runs this host's agent, checks whether it could, or removes what one left. Exit code 0: it was ended, or the host is
 * fit; 1: the host or its configuration is not fit; 2: the command line is wrong.
 */
public final class AgentMain {

    private static final Logger log = LoggerFactory.getLogger(AgentMain.class);
    private static final Duration TOOLS_WITHIN = Duration.ofSeconds(30);
    private static final Duration TEMPORAL_WITHIN = Duration.ofSeconds(5);
    private static final Clock CLOCK = Clock.systemUTC();

    private AgentMain() {}

    public static void main(String[] args) throws InterruptedException {
        CommandLine line = CommandLine.parse(args);
        switch (line.verb()) {
            case HELP -> System.out.print(CommandLine.HELP);
            case WRONG -> {
                System.err.println("agent: " + line.problem());
                System.err.print(CommandLine.HELP);
                exit(2);
            }
            case CHECK -> exit(check(line.config(), System.out) ? 0 : 1);
            case RECLAIM -> exit(reclaim(line, System.out) ? 0 : 1);
            case RUN -> {
                if (!run(line.config())) {
                    exit(1);
                }
            }
        }
    }

    /** Says what is wrong with configuration and host, or that nothing is. */
    static boolean check(Path file, PrintStream out) throws InterruptedException {
        List<String> problems = new ArrayList<>();
        try {
            AgentConfig config = AgentConfigFile.read(file);
            problems.addAll(preflight(config, new Commands(TOOLS_WITHIN)).run(true));
            problems.addAll(reach(config, true));
            reachTemporal(config).ifPresent(problems::add);
        } catch (AgentConfigFile.Invalid e) {
            problems.addAll(e.problems());
        }
        problems.forEach(problem -> out.println("problem: " + problem));
        out.println(problems.isEmpty() ? file + ": this host is fit" : problems.size() + " problem(s)");
        return problems.isEmpty();
    }

    private static Preflight preflight(AgentConfig config, Commands commands) {
        return new Preflight(config, commands, System.getenv(), HostFacts.ofThisMachine());
    }

    /** Says what is left of an agent that runs no more, and if asked to removes it; false if that can't be done. */
    static boolean reclaim(CommandLine line, PrintStream out) {
        List<String> problems = new ArrayList<>();
        try {
            AgentConfig config = AgentConfigFile.read(line.config());
            HostReclaim reclaim = new HostReclaim(config, new Commands(TOOLS_WITHIN), CLOCK);
            if (!line.sure()) {
                List<LeftOver> found = reclaim.find(line.decommission());
                found.forEach(each -> out.println("would remove: " + each.what()));
                out.println(found.isEmpty() ? "nothing is left" : "nothing was changed; --yes removes all this");
                return true;
            }
            try (HostLocks locks = HostLocks.take(config, problems)) {
                if (locks != null) {
                    List<LeftOver> found = reclaim.find(line.decommission());
                    found.forEach(each -> out.println("removing: " + each.what()));
                    LeftOver.removeAll(found);
                    out.println(found.isEmpty() ? "nothing was left" : "all of it is gone");
                }
            }
        } catch (AgentConfigFile.Invalid e) {
            problems.addAll(e.problems());
        } catch (IOException e) {
            problems.add("%s; repeat the command as root".formatted(e.getMessage()));
            for (Throwable more : e.getSuppressed()) {
                problems.add(String.valueOf(more.getMessage()));
            }
        }
        problems.forEach(problem -> out.println("problem: " + problem));
        return problems.isEmpty();
    }

    /** A control plane that is away is a problem for a check; a starting agent waits for it instead. */
    private static List<String> reach(AgentConfig config, boolean mustAnswer) throws InterruptedException {
        String url = config.controlPlane().url();
        try {
            return new ClockCheck(Wiring.httpClient(config), URI.create(url), CLOCK)
                    .problem().stream().toList();
        } catch (IOException e) {
            return mustAnswer
                    ? List.of("the control plane at %s does not answer (%s); start it, or correct controlPlane"
                            .formatted(url, e))
                    : List.of();
        } catch (IllegalArgumentException e) {
            return List.of("controlPlane.url %s is no URL such as https://mayfly.example.com".formatted(url));
        }
    }

    private static Optional<String> reachTemporal(AgentConfig config) {
        String target = config.temporal().target();
        int colon = target.lastIndexOf(':');
        InetSocketAddress address =
                new InetSocketAddress(target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
        try (Socket socket = new Socket()) {
            socket.connect(address, (int) TEMPORAL_WITHIN.toMillis());
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(
                    "Temporal at %s does not answer (%s); start it, or correct temporal.target".formatted(target, e));
        }
    }

    private static boolean run(Path file) throws InterruptedException {
        List<String> problems = new ArrayList<>();
        try {
            AgentConfig config = AgentConfigFile.read(file);
            // For JsonLines: a field of each line from now on.
            ((LoggerContext) LoggerFactory.getILoggerFactory()).putProperty("host", config.hostId());
            Commands commands = new Commands(TOOLS_WITHIN);
            problems.addAll(preflight(config, commands).run(false));
            problems.addAll(reach(config, false));
            // Never closed: held until the process ends, however it does.
            HostLocks locks = lock(config, problems);
            if (problems.isEmpty() && locks != null) {
                start(new Wiring(config, Credential.read(config.controlPlane(), System.getenv()), commands, CLOCK));
                Thread.currentThread().join();
            }
        } catch (AgentConfigFile.Invalid e) {
            problems.addAll(e.problems());
        } catch (IOException | RuntimeException e) {
            log.error("the agent can't start", e);
        }
        problems.forEach(problem -> log.error("can't start: {}", problem));
        return false;
    }

    private static @Nullable HostLocks lock(AgentConfig config, List<String> problems) {
        try {
            return HostLocks.take(config, problems);
        } catch (IOException e) {
            problems.add(
                    "stateDir %s or lockDir %s can't be locked (%s); start the agent as root, or name folders of its own"
                            .formatted(config.stateDir(), config.lockDir(), e));
            return null;
        }
    }

    private static void start(Wiring agent) throws IOException, InterruptedException {
        Thread end = new Thread(
                () -> {
                    log.info("the agent ends; its VMs run on for a while");
                    agent.close();
                },
                "end");
        Runtime.getRuntime().addShutdownHook(end);
        agent.start();
    }

    private static void exit(int code) {
        Runtime.getRuntime().exit(code);
    }
}
