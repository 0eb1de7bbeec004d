package dev.mayfly.api.cli;

import dev.mayfly.activities.db.DatabaseException;
import dev.mayfly.api.config.ConfigurationProblem;
import io.dropwizard.configuration.ConfigurationException;
import io.dropwizard.configuration.UndefinedEnvironmentVariableException;
import io.dropwizard.core.cli.Command;
import io.dropwizard.core.setup.Bootstrap;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.sourceforge.argparse4j.ArgumentParsers;
import net.sourceforge.argparse4j.helper.HelpScreenException;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.ArgumentParserException;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import net.sourceforge.argparse4j.inf.Subparsers;

/**
 * Runs the command that the arguments name. Stands in for Dropwizard's own, which calls every program {@code project.jar}
 * and answers a user's error with a stack trace. What is no user's error keeps its stack trace.
 */
public final class CommandLine {

    static final int FAILED = 1;
    static final int USAGE = 2;
    private static final String COMMAND = "command";

    private final Bootstrap<?> bootstrap;
    private final PrintStream err;
    private final Map<String, Command> commands = new TreeMap<>();
    private final ArgumentParser parser;

    /** Over the commands that the application has added to {@code bootstrap}. */
    public CommandLine(Bootstrap<?> bootstrap, PrintStream err) {
        this.bootstrap = bootstrap;
        this.err = err;
        this.parser = ArgumentParsers.newFor("mayfly")
                .build()
                .description("Mayfly's control plane: the server, and commands that look into it.");
        Subparsers subparsers = parser.addSubparsers()
                .title("commands")
                .metavar("COMMAND")
                .description("mayfly COMMAND --help says more about one");
        bootstrap.getCommands().forEach(command -> {
            commands.put(command.getName(), command);
            Subparser subparser = subparsers
                    .addParser(command.getName())
                    .description(command.getDescription())
                    .help(command.getDescription())
                    .setDefault(COMMAND, command.getName());
            command.configure(subparser);
        });
    }

    /** The exit code. A server that was started goes on after this has returned 0. */
    public int run(String... arguments) {
        if (arguments.length == 0) {
            parser.printHelp();
            return USAGE;
        }
        Namespace parsed;
        try {
            parsed = parser.parseArgs(arguments);
        } catch (HelpScreenException asked) {
            return 0;
        } catch (ArgumentParserException e) {
            e.getParser().handleError(e);
            return USAGE;
        }
        try {
            String name = parsed.getString(COMMAND);
            Command command = commands.get(name);
            if (command == null) {
                throw new IllegalStateException("no command " + name);
            }
            command.run(bootstrap, parsed);
            return 0;
        } catch (Exception e) {
            say(e);
            return FAILED;
        }
    }

    private void say(Exception failure) {
        Collection<String> lines = lines(failure);
        if (lines.isEmpty()) {
            err.println("mayfly: an error of the program itself, please report it:");
            failure.printStackTrace(err);
        }
        lines.forEach(line -> err.println("mayfly: " + line));
    }

    /** What a user can put right; empty for what is a fault of the program. */
    private static Collection<String> lines(Exception failure) {
        if (failure instanceof ConfigurationException configuration) {
            return configuration.getErrors();
        }
        boolean byUser = failure instanceof UserError
                || failure instanceof ConfigurationProblem
                || failure instanceof DatabaseException
                || failure instanceof UndefinedEnvironmentVariableException
                || failure instanceof IOException;
        return byUser ? String.valueOf(failure.getMessage()).lines().toList() : List.of();
    }
}
