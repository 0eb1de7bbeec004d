package dev.mayfly.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The control plane's ledger at the end of a run, beside the agents' own word for how many VMs they started. Whether
 * anything is left on the machine itself is for {@link Leftovers} to say.
 *
 * @param kinds created, destroyed and live of each kind
 * @param wrong what the ledger itself says differs, or could not be compared
 * @param vmsStarted by the agents' logs
 */
record LedgerBalance(Map<String, Count> kinds, List<String> wrong, long vmsStarted) {

    private static final Pattern STARTED = Pattern.compile("slot \\S+: boot \\d+ started for ");

    /** Of one kind. */
    record Count(long created, long destroyed, long live) {}

    LedgerBalance {
        wrong = List.copyOf(wrong);
    }

    /**
     * Waits until all that was made is gone and told of: of what hosts make their next lease tells, and no longer than
     * patience lasts.
     */
    static LedgerBalance await(DemoCluster cluster, Duration patience) {
        LedgerBalance[] last = new LedgerBalance[1];
        try {
            Waiting.until("the ledger is even", patience, () -> {
                last[0] = read(cluster);
                return last[0].faults().isEmpty();
            });
        } catch (AssertionError uneven) {
            return last[0];
        }
        return last[0];
    }

    private static LedgerBalance read(DemoCluster cluster) {
        JsonNode ledger = cluster.controlPlane().get("/api/v1/ledger");
        Map<String, Count> kinds = new LinkedHashMap<>();
        for (JsonNode kind : ledger.path("kinds")) {
            kinds.put(
                    kind.path("kind").asText(),
                    new Count(
                            kind.path("created").asLong(),
                            kind.path("destroyed").asLong(),
                            kind.path("live").asLong()));
        }
        List<String> wrong = new ArrayList<>();
        ledger.path("differences")
                .forEach(difference -> wrong.add(difference.path("source").asText() + ": "
                        + difference.path("what").asText()));
        ledger.path("unknown").forEach(what -> wrong.add(what.asText()));
        return new LedgerBalance(kinds, wrong, started(cluster));
    }

    private static long started(DemoCluster cluster) {
        long count = 0;
        for (Path log : cluster.hosts().logs()) {
            try (Stream<String> lines = Files.lines(log)) {
                count += lines.filter(line -> STARTED.matcher(line).find()).count();
            } catch (IOException e) {
                throw new UncheckedIOException("can't read " + log, e);
            }
        }
        return count;
    }

    /** Why it is not even, in words; empty if it is. A start that failed is a VM to the ledger alone. */
    List<String> faults() {
        List<String> faults = new ArrayList<>(wrong);
        kinds.forEach((kind, count) -> {
            if (count.live() != 0 || count.created() != count.destroyed()) {
                faults.add("%s: %s".formatted(kind, count));
            }
        });
        Count vms = kinds.get("vm");
        if (vms == null || vms.created() < vmsStarted) {
            faults.add("the agents started %d VMs, the ledger knows %s".formatted(vmsStarted, vms));
        }
        return faults;
    }

    /** For people. */
    String table() {
        StringBuilder table = new StringBuilder("%-14s %8s %10s %5s%n".formatted("", "created", "destroyed", "live"));
        kinds.forEach((kind, count) ->
                table.append("%-14s %8d %10d %5d%n".formatted(kind, count.created(), count.destroyed(), count.live())));
        return table.toString();
    }
}
