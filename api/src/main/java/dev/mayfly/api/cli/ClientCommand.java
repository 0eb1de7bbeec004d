package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.api.ApiConfiguration;
import io.dropwizard.configuration.ConfigurationException;
import io.dropwizard.core.cli.Command;
import io.dropwizard.core.server.DefaultServerFactory;
import io.dropwizard.core.server.SimpleServerFactory;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.jetty.ConnectorFactory;
import io.dropwizard.jetty.HttpConnectorFactory;
import io.dropwizard.jetty.HttpsConnectorFactory;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import org.jspecify.annotations.Nullable;

/**
 * A command that asks a running control plane. Which one, and with which token, says the configuration file of this
 * machine, unless options do.
 */
abstract class ClientCommand extends Command {

    private static final String DEFAULT_URL = "http://localhost:8080";

    private final PrintStream out;

    ClientCommand(String name, String description, PrintStream out) {
        super(name, description);
        this.out = out;
    }

    @Override
    public void configure(Subparser subparser) {
        subparser
                .addArgument("--url")
                .help("the control plane (default: the first connector of the configuration, else %s)"
                        .formatted(DEFAULT_URL));
        subparser
                .addArgument("--token-file")
                .metavar("FILE")
                .help("a file that holds the API's token (default: apiToken of the configuration)");
        subparser
                .addArgument("--ca-file")
                .metavar("FILE")
                .help("certificates to trust, if a private CA signs the control plane's");
        ConfigurationFile.addOption(subparser);
        subparser.addArgument("--json").action(Arguments.storeTrue()).help("print what the API answers");
    }

    @Override
    public final void run(Bootstrap<?> bootstrap, Namespace arguments) throws IOException, ConfigurationException {
        ObjectMapper json = bootstrap.getObjectMapper();
        JsonNode answer = ask(client(bootstrap, arguments, json), arguments);
        if (arguments.getBoolean("json")) {
            out.println(json.writerWithDefaultPrettyPrinter().writeValueAsString(answer));
        } else {
            show(answer, out);
        }
        out.flush();
    }

    /** Asks; what is returned is printed, as JSON or by {@link #show}. */
    abstract JsonNode ask(ApiClient api, Namespace arguments);

    /** Prints it for people. */
    abstract void show(JsonNode answer, PrintStream to);

    private static ApiClient client(Bootstrap<?> bootstrap, Namespace arguments, ObjectMapper json)
            throws IOException, ConfigurationException {
        String url = arguments.getString("url");
        String tokenFile = arguments.getString("token_file");
        String file = ConfigurationFile.named(arguments);
        ApiConfiguration config = file == null || (url != null && tokenFile != null && arguments.get("config") == null)
                ? null
                : ConfigurationFile.read(bootstrap, file);
        String caFile = arguments.getString("ca_file");
        return new ApiClient(
                url != null ? url : urlOf(config),
                tokenFile != null ? secret(Path.of(tokenFile)) : tokenOf(config),
                caFile == null ? null : Path.of(caFile),
                json);
    }

    private static @Nullable String tokenOf(@Nullable ApiConfiguration config) {
        return config == null || config.apiToken() == null
                ? null
                : config.apiToken().read();
    }

    private static String secret(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new UserError("--token-file %s can't be read (%s)"
                    .formatted(file, e.getClass().getSimpleName()));
        }
    }

    private static String urlOf(@Nullable ApiConfiguration config) {
        if (config == null) {
            return DEFAULT_URL;
        }
        ConnectorFactory connector = null;
        if (config.getServerFactory() instanceof DefaultServerFactory server) {
            connector = server.getApplicationConnectors().get(0);
        } else if (config.getServerFactory() instanceof SimpleServerFactory server) {
            connector = server.getConnector();
        }
        if (!(connector instanceof HttpConnectorFactory http)) {
            return DEFAULT_URL;
        }
        String host =
                http.getBindHost() == null || http.getBindHost().equals("0.0.0.0") ? "localhost" : http.getBindHost();
        String scheme = http instanceof HttpsConnectorFactory ? "https" : "http";
        return "%s://%s:%d".formatted(scheme, host, http.getPort());
    }
}
