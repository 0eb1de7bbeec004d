package dev.mayfly.api;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.mayfly.api.rest.ProblemMapper;
import io.dropwizard.configuration.EnvironmentVariableSubstitutor;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.core.Application;
import io.dropwizard.core.server.AbstractServerFactory;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;
import java.time.Clock;
import org.glassfish.jersey.server.ServerProperties;

/** The control plane's program: {@code server}, {@code check} and the rest of the command line. */
public final class ApiApplication extends Application<ApiConfiguration> {

    /** Runs the command that the arguments name. */
    public static void main(String[] arguments) throws Exception {
        new ApiApplication().run(arguments);
    }

    @Override
    public String getName() {
        return "mayfly";
    }

    @Override
    public void initialize(Bootstrap<ApiConfiguration> bootstrap) {
        bootstrap.setConfigurationSourceProvider(new SubstitutingSourceProvider(
                bootstrap.getConfigurationSourceProvider(), new EnvironmentVariableSubstitutor(true)));
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
