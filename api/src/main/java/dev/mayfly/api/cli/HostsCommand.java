package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import net.sourceforge.argparse4j.inf.Namespace;

/** {@code mayfly hosts}: the hosts, how they stand and what is free on them. */
public final class HostsCommand extends ClientCommand {

    public HostsCommand(PrintStream out) {
        super("hosts", "List hosts, how they stand and what is free on them.", out);
    }

    @Override
    JsonNode ask(ApiClient api, Namespace arguments) {
        return api.get("/api/v1/hosts");
    }

    @Override
    void show(JsonNode answer, PrintStream to) {
        Table table = new Table("HOST", "STATE", "CAPACITY", "USED", "VMS", "ARCH", "DRIVER", "AGENT", "RENEWED");
        for (JsonNode host : answer.path("items")) {
            table.add(
                    host.path("hostId").asText(),
                    host.path("state").asText(),
                    Table.size(host.path("capacity")),
                    Table.size(host.path("used")),
                    String.valueOf(host.path("inventory").size()),
                    host.path("arch").asText(),
                    host.path("driver").asText(),
                    host.path("agentVersion").asText(),
                    host.path("renewedAt").asText());
        }
        table.print(to);
    }
}
