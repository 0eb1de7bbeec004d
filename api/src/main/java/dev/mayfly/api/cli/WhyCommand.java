package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code mayfly why JOB}: why a job does not run yet. */
public final class WhyCommand extends ClientCommand {

    public WhyCommand(PrintStream out) {
        super("why", "Say why a job does not run yet, and its place in the queue.", out);
    }

    @Override
    public void configure(Subparser subparser) {
        subparser.addArgument("id").metavar("JOB").help("GitLab's job number, or gitlab:INSTANCE:PROJECT:JOB");
        super.configure(subparser);
    }

    @Override
    JsonNode ask(ApiClient api, Namespace arguments) {
        return api.get("/api/v1/jobs/%s/why".formatted(ApiClient.encode(arguments.getString("id"))));
    }

    @Override
    void show(JsonNode why, PrintStream to) {
        to.println(
                "%s: %s".formatted(why.path("code").asText(), why.path("reason").asText()));
        if (why.path("position").isInt()) {
            to.println("place in the queue: " + why.path("position").asInt());
            JsonNode eta = why.path("eta");
            to.println(eta.isObject() ? "gets a slot " + eta.path("words").asText() : "when it gets a slot is unknown");
        }
    }
}
