package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.Map;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import org.jspecify.annotations.Nullable;

/** {@code mayfly ledger}: what was made, what is gone, what lives and whose it is, and where that can't be right. */
public final class LedgerCommand extends ClientCommand {

    public LedgerCommand(PrintStream out) {
        super("ledger", "Say what was made, what is gone, what lives, and where that differs from what there is.", out);
    }

    @Override
    public void configure(Subparser subparser) {
        subparser
                .addArgument("--since")
                .metavar("WHEN")
                .help("count from a time such as 2026-11-24T09:00:00Z, or from so long ago, such as 24h");
        super.configure(subparser);
    }

    @Override
    JsonNode ask(ApiClient api, Namespace arguments) {
        Map<String, @Nullable Object> query = new HashMap<>();
        query.put("since", arguments.getString("since"));
        return api.get("/api/v1/ledger" + ApiClient.query(query));
    }

    @Override
    void show(JsonNode balance, PrintStream to) {
        boolean all = balance.path("since").isNull();
        Table counts = all
                ? new Table("KIND", "CREATED", "DESTROYED", "LIVE")
                : new Table("KIND", "BEFORE", "CREATED", "DESTROYED", "LIVE");
        for (JsonNode kind : balance.path("kinds")) {
            String name = kind.path("kind").asText();
            String created = kind.path("created").asText();
            String destroyed = kind.path("destroyed").asText();
            String live = kind.path("live").asText();
            if (all) {
                counts.add(name, created, destroyed, live);
            } else {
                counts.add(name, kind.path("before").asText(), created, destroyed, live);
            }
        }
        counts.print(to);
        if (!balance.path("live").isEmpty()) {
            to.println();
            showLive(balance.path("live"), to);
        }
        for (JsonNode difference : balance.path("differences")) {
            to.println("DIFFERENCE: %s: %s"
                    .formatted(
                            difference.path("source").asText(),
                            difference.path("what").asText()));
        }
        balance.path("unknown").forEach(what -> to.println("UNKNOWN: " + what.asText()));
    }

    private static void showLive(JsonNode entries, PrintStream to) {
        Table table = new Table("LIVE", "SLOT", "HOST", "JOB", "OWNER", "SINCE");
        for (JsonNode entry : entries) {
            String kind = entry.path("kind").asText();
            table.add(
                    kind.equals("runner") ? kind + " " + entry.path("number").asText() : kind,
                    entry.path("slotId").asText(),
                    entry.path("hostId").asText() + (entry.path("hostLost").asBoolean() ? " (was LOST)" : ""),
                    entry.path("jobKey").asText(),
                    Table.text(entry.path("owner")),
                    entry.path("createdAt").asText());
        }
        table.print(to);
    }
}
