package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import net.sourceforge.argparse4j.inf.Namespace;

/** {@code mayfly projects}: projects whose jobs came here lately, and what is wrong with their connection. */
public final class ProjectsCommand extends ClientCommand {

    public ProjectsCommand(PrintStream out) {
        super("projects", "List projects whose jobs came here lately, their webhooks and runners in GitLab.", out);
    }

    @Override
    JsonNode ask(ApiClient api, Namespace arguments) {
        return api.get("/api/v1/projects");
    }

    @Override
    void show(JsonNode answer, PrintStream to) {
        Table table = new Table("GITLAB", "PROJECT", "WEBHOOK", "RUNNERS", "NOTE");
        for (JsonNode project : answer.path("items")) {
            table.add(
                    project.path("instance").asText(),
                    project.path("projectPath").asText(),
                    project.path("webhook").asText(),
                    project.path("runners").asText(),
                    project.path("problems").path(0).asText(""));
        }
        table.print(to);
    }
}
