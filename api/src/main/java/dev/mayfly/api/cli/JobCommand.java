package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code mayfly job ID}: one job with all that is known of it; {@code --cancel} cancels it. */
public final class JobCommand extends ClientCommand {

    public JobCommand(PrintStream out) {
        super("job", "Show one job, or cancel it.", out);
    }

    @Override
    public void configure(Subparser subparser) {
        subparser.addArgument("id").metavar("ID").help("GitLab's job number, or gitlab:INSTANCE:PROJECT:JOB");
        subparser.addArgument("--cancel").action(Arguments.storeTrue()).help("cancel it in GitLab; its VM goes then");
        super.configure(subparser);
    }

    @Override
    JsonNode ask(ApiClient api, Namespace arguments) {
        String path = "/api/v1/jobs/" + ApiClient.encode(arguments.getString("id"));
        return arguments.getBoolean("cancel") ? api.post(path + "/cancel") : api.get(path);
    }

    @Override
    void show(JsonNode job, PrintStream to) {
        List<String> tags = new ArrayList<>();
        job.path("tags").forEach(tag -> tags.add(tag.asText()));
        Map<String, String> lines = new java.util.LinkedHashMap<>();
        lines.put("id", job.path("id").asText());
        lines.put("project", job.path("project").asText());
        lines.put(
                "name",
                "%s (stage %s)"
                        .formatted(job.path("name").asText(), job.path("stage").asText()));
        lines.put(
                "ref",
                "%s (%s) by %s"
                        .formatted(job.path("ref").asText(), job.path("sha").asText(), Table.text(job.path("user"))));
        lines.put("tags", String.join(", ", tags));
        lines.put("size", Table.size(job.path("size")));
        lines.put("status", job.path("status").asText());
        lines.put("phase", Table.text(job.path("phase")));
        lines.put("refusal", Table.text(job.path("refusal")));
        lines.put("outcome", Table.text(job.path("outcome").path("detail")));
        lines.put("VM", Table.text(job.path("slotId")));
        lines.put("host", Table.text(job.path("hostId")));
        lines.put("executor", job.path("executor").asText());
        lines.put("image", Table.text(job.path("image")));
        lines.put("runner", Table.text(job.path("runnerId")));
        lines.put("earlier", earlier(job.path("slots")));
        lines.put("claimed", Table.text(job.path("claimedAt")));
        lines.put("seen", job.path("seenAt").asText());
        job.path("phases")
                .forEach(reached -> lines.put(
                        reached.path("phase").asText().toLowerCase(java.util.Locale.ROOT),
                        reached.path("at").asText()));
        lines.put("page", job.path("links").path("gitlab").asText());
        Table.print(lines, to);
    }

    /** The slots that it held before its last one, a hyphen for none. */
    private static String earlier(JsonNode slots) {
        List<String> words = new ArrayList<>();
        for (int i = 0; i < slots.size() - 1; i++) {
            JsonNode slot = slots.get(i);
            words.add("%s on %s from %s until %s"
                    .formatted(
                            slot.path("slotId").asText(),
                            slot.path("hostId").asText(),
                            slot.path("from").asText(),
                            Table.text(slot.path("until"))));
        }
        return words.isEmpty() ? "-" : String.join("; ", words);
    }
}
