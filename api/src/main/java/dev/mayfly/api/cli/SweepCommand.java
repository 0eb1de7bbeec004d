package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code mayfly sweep}: whether the sweeper holds back; {@code --proceed} lets it go on. */
public final class SweepCommand extends ClientCommand {

    public SweepCommand(PrintStream out) {
        super("sweep", "Say whether the sweeper of leftovers holds back, and let it go on.", out);
    }

    @Override
    public void configure(Subparser subparser) {
        subparser
                .addArgument("--proceed")
                .action(Arguments.storeTrue())
                .help(
                        "remove what the next passes find, however much, and take Temporal's namespace for the right one");
        super.configure(subparser);
    }

    @Override
    JsonNode ask(ApiClient api, Namespace arguments) {
        return arguments.getBoolean("proceed") ? api.post("/api/v1/sweeper/proceed") : api.get("/api/v1/sweeper");
    }

    @Override
    void show(JsonNode sweep, PrintStream to) {
        String braked = sweep.path("braked").asText("");
        to.println("sweeper: " + sweep.path("state").asText() + (braked.isEmpty() ? "" : ": " + braked));
    }
}
