package dev.mayfly.api.cli;

import dev.mayfly.activities.gitlab.GitLabInstanceConfig;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.api.ApiConfiguration;
import dev.mayfly.api.config.GitLabConfig;
import dev.mayfly.api.config.SecretRef;
import dev.mayfly.api.connect.ProjectConnection;
import io.dropwizard.configuration.ConfigurationException;
import io.dropwizard.core.cli.Command;
import io.dropwizard.core.setup.Bootstrap;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Clock;
import java.util.List;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import net.sourceforge.argparse4j.inf.Subparsers;
import org.jspecify.annotations.Nullable;

/** {@code mayfly gitlab}: has projects' jobs reach this control plane, looks whether they do, and ends it. */
public final class GitLabCommand extends Command {

    private static final String ACTION = "action";

    private final PrintStream out;

    public GitLabCommand(PrintStream out) {
        super("gitlab", "Connect projects of GitLab.");
        this.out = out;
    }

    @Override
    public void configure(Subparser subparser) {
        Subparsers commands = subparser.addSubparsers().metavar("COMMAND").dest(ACTION);
        Subparser connect = commands.addParser("connect")
                .aliases("add-project")
                .help("add or correct a project's webhook")
                .description("Look whether the access token may do what is needed in the project, add or correct the"
                        + " project's webhook, and have GitLab test it. May be repeated.");
        Subparser check = commands.addParser("check")
                .help("say whether a project is connected as it should be")
                .description("Look at access token, role and webhook of a project, and change nothing. Exit code 1 if"
                        + " anything is not as it should be.");
        Subparser remove = commands.addParser("remove-project")
                .help("remove a project's webhook")
                .description("Remove the project's webhook to this control plane. May be repeated.");
        Subparser list = commands.addParser("list")
                .help("list projects and how they are connected")
                .description("List the projects that the access token's user maintains, and how they are connected.");
        for (Subparser one : List.of(connect, check, remove, list)) {
            ConfigurationFile.addOption(one);
            one.addArgument("--instance").metavar("NAME").help("the GitLab instance, if several are configured");
            one.addArgument("--url")
                    .help("this control plane as GitLab reaches it (default: publicUrl of the configuration)");
        }
        for (Subparser one : List.of(connect, check, remove)) {
            one.addArgument("--project").metavar("PATH").required(true).help("the project, such as group/app");
        }
        for (Subparser one : List.of(connect, remove)) {
            one.addArgument("--dry-run").action(Arguments.storeTrue()).help("change nothing, say what would be done");
        }
    }

    @Override
    public void run(Bootstrap<?> bootstrap, Namespace arguments) throws IOException, ConfigurationException {
        String file = ConfigurationFile.named(arguments);
        if (file == null) {
            throw new UserError("name the control plane's configuration with --config FILE");
        }
        ApiConfiguration config = ConfigurationFile.read(bootstrap, file);
        GitLabConfig instance = instance(config, arguments.getString("instance"));
        var hook = new ProjectConnection.Hook(
                "%s/webhooks/gitlab/%s".formatted(url(config, arguments.getString("url")), instance.name()),
                read(instance.webhookToken()),
                read(instance.signingToken()));
        ProjectConnection.Report report;
        try (GitLabs gitlabs = new GitLabs(List.of(new GitLabInstanceConfig(
                instance.name(),
                instance.url(),
                instance.caPem(),
                instance.token().read(),
                List.of(),
                List.of())))) {
            report = act(
                    new ProjectConnection(instance.name(), gitlabs.api(instance.name()), hook, Clock.systemUTC()),
                    arguments);
        }
        report.done().forEach(out::println);
        if (!report.problems().isEmpty()) {
            throw new UserError(report.problems());
        }
    }

    private static ProjectConnection.Report act(ProjectConnection connection, Namespace arguments) {
        String project = arguments.getString("project");
        return switch (arguments.getString(ACTION)) {
            case "list" -> connection.list();
            case "check" -> connection.check(project);
            case "remove-project" -> connection.disconnect(project, arguments.getBoolean("dry_run"));
            default -> connection.connect(project, arguments.getBoolean("dry_run"));
        };
    }

    private static GitLabConfig instance(ApiConfiguration config, @Nullable String name) {
        List<String> names = config.gitlab().stream().map(GitLabConfig::name).toList();
        if (name == null && names.size() > 1) {
            throw new UserError(
                    "several GitLab instances are configured; choose one of %s with --instance".formatted(names));
        }
        return config.gitlab().stream()
                .filter(instance -> name == null || instance.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () -> new UserError("no GitLab instance %s is configured, only %s".formatted(name, names)));
    }

    private static String url(ApiConfiguration config, @Nullable String option) {
        String url = option != null ? option : config.publicUrl();
        if (url == null) {
            throw new UserError(
                    "say how GitLab reaches this control plane: set publicUrl in the configuration, or --url");
        }
        if (!url.matches("https?://[^/?#@]+(/[^?#]*)?")) {
            throw new UserError("%s is no address; give one such as https://mayfly.example.com".formatted(url));
        }
        return url.replaceFirst("/+$", "");
    }

    private static @Nullable String read(@Nullable SecretRef secret) {
        return secret == null ? null : secret.read();
    }
}
