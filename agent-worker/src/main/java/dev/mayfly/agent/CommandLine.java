package dev.mayfly.agent;

import java.nio.file.Path;

/**
 * What was asked for on the command line.
 *
 * @param config the configuration file
 * @param problem why it is {@link Verb#WRONG}, else empty
 */
record CommandLine(Verb verb, Path config, String problem) {

    static final String HELP = """
            usage: agent [run|check] --config FILE

              run      take work on this host until ended (the default); its VMs outlive it
              check    say all that keeps this host from taking work, and change nothing
              --config FILE   agent.yml (default: /etc/mayfly/agent.yml)
              --help          this text

            Environment: MAYFLY_AGENT_CREDENTIAL (if agent.yml names no credentialFile),
                         MAYFLY_LOG (DEBUG, INFO, WARN; default INFO), JAVA_OPTS
            """;

    private static final Path DEFAULT = Path.of("/etc/mayfly/agent.yml");

    /** What to do. */
    enum Verb {
        RUN,
        CHECK,
        HELP,
        WRONG
    }

    static CommandLine parse(String... args) {
        Verb verb = Verb.RUN;
        Path config = DEFAULT;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "run" -> verb = Verb.RUN;
                case "check" -> verb = Verb.CHECK;
                case "-h", "--help", "help" -> {
                    return new CommandLine(Verb.HELP, config, "");
                }
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
        return new CommandLine(verb, config, "");
    }

    private static CommandLine wrong(String problem) {
        return new CommandLine(Verb.WRONG, DEFAULT, problem);
    }
}
