package dev.mayfly.api;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.mayfly.api.cli.CheckCommand;
import dev.mayfly.api.cli.CommandLine;
import dev.mayfly.api.cli.GitLabCommand;
import dev.mayfly.api.cli.HostsCommand;
import dev.mayfly.api.cli.JobCommand;
import dev.mayfly.api.cli.JobsCommand;
import dev.mayfly.api.cli.LedgerCommand;
import dev.mayfly.api.cli.ProjectsCommand;
import dev.mayfly.api.cli.ServeCommand;
import dev.mayfly.api.cli.SweepCommand;
import dev.mayfly.api.cli.WhyCommand;
import dev.mayfly.api.config.StrictConfigurationFactory;
import dev.mayfly.api.rest.ProblemMapper;
import io.dropwizard.configuration.EnvironmentVariableSubstitutor;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.core.Application;
import io.dropwizard.core.server.AbstractServerFactory;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;
import java.io.PrintStream;
import java.time.Clock;
import org.glassfish.jersey.server.ServerProperties;

/** The control plane's program: {@code server}, {@code check} and the rest of the command line. */
public final class ApiApplication extends Application<ApiConfiguration> {

    /** Runs the command that the arguments name. */
    public static void main(String[] arguments) {
        new ApiApplication().run(arguments);
    }

    /** The exit code is that of the command; a server that has started goes on by itself. */
    @Override
    public void run(String... arguments) {
        int exitCode = commandLine(System.out, System.err).run(arguments);
        if (exitCode != 0) {
            System.exit(exitCode);
        }
    }

    CommandLine commandLine(PrintStream out, PrintStream err) {
        Bootstrap<ApiConfiguration> bootstrap = new Bootstrap<>(this);
        bootstrap.addCommand(new ServeCommand(this));
        bootstrap.addCommand(new CheckCommand(out));
        bootstrap.addCommand(new JobsCommand(out));
        bootstrap.addCommand(new JobCommand(out));
        bootstrap.addCommand(new WhyCommand(out));
        bootstrap.addCommand(new ProjectsCommand(out));
        bootstrap.addCommand(new HostsCommand(out));
        bootstrap.addCommand(new LedgerCommand(out));
        bootstrap.addCommand(new SweepCommand(out));
        bootstrap.addCommand(new GitLabCommand(out));
        initialize(bootstrap);
        bootstrap.registerMetrics();
        return new CommandLine(bootstrap, err);
    }

    @Override
    public String getName() {
        return "mayfly";
    }

    @Override
    public void initialize(Bootstrap<ApiConfiguration> bootstrap) {
        bootstrap.setConfigurationSourceProvider(new SubstitutingSourceProvider(
                bootstrap.getConfigurationSourceProvider(), new EnvironmentVariableSubstitutor(true)));
        bootstrap.setConfigurationFactoryFactory((type, validator, mapper, prefix) ->
                new StrictConfigurationFactory<>(type, validator, mapper, Checks::unreadable));
    }

    @Override
    public void run(ApiConfiguration configuration, Environment environment) throws Exception {
        environment
                .getObjectMapper()
                .disable(
                        SerializationFeature.WRITE_DATES_AS_TIMESTAMPS,
                        SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        if (configuration.getServerFactory() instanceof AbstractServerFactory server) {
            server.setRegisterDefaultExceptionMappers(false);
        }
        // gitlab4j brings Jersey's own JSON provider; discovered, it would answer in place of Dropwizard's, which has
        // the
        // mapper from above.
        environment.jersey().property(ServerProperties.FEATURE_AUTO_DISCOVERY_DISABLE, true);
        environment.jersey().register(new ProblemMapper());
        new Wiring(configuration, environment, Clock.systemUTC()).wire();
    }
}
