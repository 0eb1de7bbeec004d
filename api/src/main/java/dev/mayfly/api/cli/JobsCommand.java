package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import org.jspecify.annotations.Nullable;

/** {@code mayfly jobs}: the jobs that the control plane knows, newest first. */
public final class JobsCommand extends ClientCommand {

    private static final int PAGE = 100;

    public JobsCommand(PrintStream out) {
        super("jobs", "List jobs, newest first, with where they run or why they don't.", out);
    }

    @Override
    public void configure(Subparser subparser) {
        subparser.addArgument("--status").help("only jobs with this status in GitLab, such as running");
        subparser.addArgument("--project").help("only jobs of this project, path or number");
        subparser.addArgument("--host").help("only jobs on this host");
        subparser.addArgument("--unfinished").action(Arguments.storeTrue()).help("only jobs that wait or run");
        subparser
                .addArgument("--limit")
                .type(Integer.class)
                .setDefault(50)
                .choices(Arguments.range(1, 1_000_000))
                .help("at most so many (default: 50)");
        super.configure(subparser);
    }

    @Override
    JsonNode ask(ApiClient api, Namespace arguments) {
        int limit = arguments.getInt("limit");
        Map<String, @Nullable Object> query = new LinkedHashMap<>();
        query.put("status", arguments.getString("status"));
        query.put("project", arguments.getString("project"));
        query.put("host", arguments.getString("host"));
        query.put("unfinished", arguments.getBoolean("unfinished"));
        ArrayNode jobs = JsonNodeFactory.instance.arrayNode();
        JsonNode next = JsonNodeFactory.instance.nullNode();
        do {
            query.put("perPage", Math.min(PAGE, limit - jobs.size()));
            query.put("after", next.isNull() ? null : next.asText());
            JsonNode page = api.get("/api/v1/jobs" + ApiClient.query(query));
            page.path("items").forEach(jobs::add);
            next = page.path("next");
        } while (jobs.size() < limit && next.isTextual());
        ObjectNode answer = JsonNodeFactory.instance.objectNode();
        answer.set("items", jobs);
        answer.set("next", next);
        return answer;
    }

    @Override
    void show(JsonNode answer, PrintStream to) {
        Table table = new Table("JOB", "PROJECT", "NAME", "STATUS", "PHASE", "SIZE", "HOST", "NOTE");
        for (JsonNode job : answer.path("items")) {
            table.add(
                    job.path("jobId").asText(),
                    job.path("project").asText(),
                    job.path("name").asText(),
                    job.path("status").asText(),
                    Table.text(job.path("phase")),
                    Table.size(job.path("size")),
                    Table.text(job.path("hostId")),
                    job.path("refusal")
                            .asText(job.path("outcome").path("detail").asText("")));
        }
        table.print(to);
        if (answer.path("next").isTextual()) {
            to.println("there are more; raise --limit");
        }
    }
}
