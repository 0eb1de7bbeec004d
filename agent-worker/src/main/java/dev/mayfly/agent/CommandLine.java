package dev.mayfly.agent;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What was asked for on the command line.
 *
 * @param config the configuration file
 * @param sure reclaim removes instead of only telling
 * @param decommission reclaim also takes the host's identity
 * @param problem why it is {@link Verb#WRONG}, else empty
 */
record CommandLine(Verb verb, Path config, boolean sure, boolean decommission, String problem) {

    static final String HELP = """
            usage: agent [run|check|reclaim] [--config FILE]

            Runs CI jobs of a Mayfly control plane in microVMs on this host.

              run      take work on this host until ended; its VMs outlive it (with --config alone: the same)
              check    say all that keeps this host from taking work, and change nothing
              reclaim  say what is left on this host of an agent that runs no more: VMs and their guards, networks,
                       control groups, packet filter, disks; with --yes remove it

              --config FILE    agent.yml (default: /etc/mayfly/agent.yml); config/agent.yml explains its keys
              --dry-run        reclaim: only say what would be removed (the default)
              --yes            reclaim: remove it
              --decommission   reclaim: also this host's identity and all else in its stateDir and runDir
              --help           this text

            Exit code 0: done, or the host is fit; 1: it is not, or something could not be done; 2: wrong usage.
            Environment: MAYFLY_AGENT_CREDENTIAL (if agent.yml names no credentialFile),
                         MAYFLY_LOG (DEBUG, INFO, WARN; default INFO), MAYFLY_LOG_FORMAT (text, json;
                         default text), JAVA_OPTS
            """;

    private static final Path DEFAULT = Path.of("/etc/mayfly/agent.yml");

    /** What to do. */
    enum Verb {
        RUN,
        CHECK,
        RECLAIM,
        HELP,
        WRONG
    }

    static CommandLine parse(String... args) {
        if (args.length == 0) {
            return wrong("say what to do");
        }
        Verb verb = Verb.RUN;
        Path config = DEFAULT;
        List<String> forReclaim = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "run" -> verb = Verb.RUN;
                case "check" -> verb = Verb.CHECK;
                case "reclaim" -> verb = Verb.RECLAIM;
                case "-h", "--help", "help" -> {
                    return new CommandLine(Verb.HELP, config, false, false, "");
                }
                case "--yes", "--dry-run", "--decommission" -> forReclaim.add(args[i]);
                case "--config" -> {
                    i++;
                    if (i == args.length) {
                        return wrong("--config needs a file");
                    }
                    config = Path.of(args[i]);
                }
                default -> {
                    return wrong("unknown argument '%s'".formatted(args[i]));
                }
            }
        }
        if (verb != Verb.RECLAIM && !forReclaim.isEmpty()) {
            return wrong("%s goes with reclaim alone".formatted(forReclaim.get(0)));
        }
        if (forReclaim.containsAll(List.of("--yes", "--dry-run"))) {
            return wrong("--yes and --dry-run exclude each other");
        }
        return new CommandLine(verb, config, forReclaim.contains("--yes"), forReclaim.contains("--decommission"), "");
    }

    private static CommandLine wrong(String problem) {
        return new CommandLine(Verb.WRONG, DEFAULT, false, false, problem);
    }
}
