package dev.mayfly.api.cli;

import dev.mayfly.api.ApiConfiguration;
import dev.mayfly.api.Checks;
import dev.mayfly.api.config.StrictConfigurationFactory;
import io.dropwizard.configuration.ConfigurationException;
import io.dropwizard.core.setup.Bootstrap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import org.jspecify.annotations.Nullable;

/** Which configuration file a command reads, and how. */
final class ConfigurationFile {

    private static final String INSTALLED = "/etc/mayfly/api.yml";
    private static final String VARIABLE = "MAYFLY_CONFIG";

    private ConfigurationFile() {}

    static void addOption(Subparser subparser) {
        subparser
                .addArgument("--config")
                .metavar("FILE")
                .help("the control plane's configuration (default: $%s, else %s)".formatted(VARIABLE, INSTALLED));
    }

    /** The file that the option or the defaults name; null if there is none. */
    static @Nullable String named(Namespace arguments) {
        String option = arguments.getString("config");
        if (option != null) {
            return option;
        }
        String variable = System.getenv(VARIABLE);
        if (variable != null && !variable.isBlank()) {
            return variable;
        }
        return Files.exists(Path.of(INSTALLED)) ? INSTALLED : null;
    }

    /** Reads a file without its secrets: who runs a command need not be allowed to read them all. */
    static ApiConfiguration read(Bootstrap<?> bootstrap, String file) throws IOException, ConfigurationException {
        return read(bootstrap, file, config -> List.of());
    }

    /** Reads a file, its secrets too, and fails with all that is wrong. */
    static ApiConfiguration checked(Bootstrap<?> bootstrap, String file) throws IOException, ConfigurationException {
        return read(bootstrap, file, Checks::unreadable);
    }

    private static ApiConfiguration read(
            Bootstrap<?> bootstrap, String file, Function<ApiConfiguration, List<String>> furtherProblems)
            throws IOException, ConfigurationException {
        return new StrictConfigurationFactory<>(
                        ApiConfiguration.class,
                        bootstrap.getValidatorFactory().getValidator(),
                        bootstrap.getObjectMapper(),
                        furtherProblems)
                .build(bootstrap.getConfigurationSourceProvider(), file);
    }
}
