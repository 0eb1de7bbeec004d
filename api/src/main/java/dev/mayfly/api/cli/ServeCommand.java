package dev.mayfly.api.cli;

import dev.mayfly.api.ApiConfiguration;
import io.dropwizard.core.Application;
import io.dropwizard.core.cli.ServerCommand;
import net.sourceforge.argparse4j.inf.Argument;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code mayfly server FILE}: the control plane itself. */
public final class ServeCommand extends ServerCommand<ApiConfiguration> {

    public ServeCommand(Application<ApiConfiguration> application) {
        super(application, "server", "Run the control plane until it is told to end (SIGTERM).");
    }

    @Override
    protected Argument addFileArgument(Subparser subparser) {
        return subparser.addArgument("file").metavar("FILE").help("configuration, such as config/api.yml");
    }
}
