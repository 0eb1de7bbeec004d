package dev.mayfly.api.cli;

import dev.mayfly.api.ApiConfiguration;
import dev.mayfly.api.Checks;
import io.dropwizard.configuration.ConfigurationException;
import io.dropwizard.core.cli.Command;
import io.dropwizard.core.setup.Bootstrap;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code mayfly check FILE...}: everything that is wrong with configuration files, at once. Changes nothing. */
public final class CheckCommand extends Command {

    private final PrintStream out;

    public CheckCommand(PrintStream out) {
        super("check", "Say what is wrong with configuration files, and whether the secrets that they name are there.");
        this.out = out;
    }

    @Override
    public void configure(Subparser subparser) {
        subparser.addArgument("files").metavar("FILE").nargs("+").help("configuration, such as config/api.yml");
        subparser
                .addArgument("--connect")
                .action(Arguments.storeTrue())
                .help("look, too, whether PostgreSQL, Temporal and GitLab answer");
    }

    @Override
    public void run(Bootstrap<?> bootstrap, Namespace arguments) {
        List<String> problems = new ArrayList<>();
        for (String file : arguments.<String>getList("files")) {
            try {
                ApiConfiguration config = ConfigurationFile.checked(bootstrap, file);
                List<String> away = arguments.getBoolean("connect") ? Checks.unreachable(config) : List.of();
                away.forEach(line -> problems.add(file + ": " + line));
                if (away.isEmpty()) {
                    out.println(file + ": fine");
                }
            } catch (ConfigurationException e) {
                problems.addAll(e.getErrors());
            } catch (IOException | RuntimeException e) {
                problems.add(file + ": " + e.getMessage());
            }
        }
        if (!problems.isEmpty()) {
            throw new UserError(problems);
        }
    }
}
