package dev.mayfly.agent.network;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The DNS servers that guests ask: as configured, else the host's real upstreams. */
public final class Resolvers {

    private static final Pattern NAMESERVER = Pattern.compile("^nameserver\\s+(\\d+\\.\\d+\\.\\d+\\.\\d+)\\s*$");

    private Resolvers() {}

    /** What stands in agent.yml, or if that is empty what the host asks, a stub on loopback looked through. */
    public static List<String> find(List<String> configured) throws IOException {
        if (!configured.isEmpty()) {
            return List.copyOf(configured);
        }
        List<String> direct = read(Path.of("/etc/resolv.conf"));
        if (direct.stream().anyMatch(address -> !address.startsWith("127."))) {
            return direct.stream()
                    .filter(address -> !address.startsWith("127."))
                    .toList();
        }
        return read(Path.of("/run/systemd/resolve/resolv.conf"));
    }

    /** The servers as a guest's {@code resolv.conf}. */
    public static String resolvConf(List<String> resolvers) {
        StringBuilder text = new StringBuilder();
        resolvers.forEach(address -> text.append("nameserver ").append(address).append('\n'));
        return text.toString();
    }

    private static List<String> read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        return Files.readAllLines(file).stream()
                .map(NAMESERVER::matcher)
                .filter(Matcher::matches)
                .map(line -> line.group(1))
                .toList();
    }
}
