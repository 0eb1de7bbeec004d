package dev.mayfly.agent;

import com.google.errorprone.annotations.FormatMethod;
import dev.mayfly.agent.network.Ipv4Network;
import dev.mayfly.agent.process.Commands;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@link Preflight}'s part about the host's networks: what would keep guests from being reached or from reaching out. */
final class NetworkPreflight {

    /** Of guests and of what runs in them, the same in every VM. */
    private static final Ipv4Network GUESTS = Ipv4Network.parse("198.18.0.0/15");

    private static final Pattern FORWARD_DROP =
            Pattern.compile("chain (\\S+) \\{\\s*type filter hook forward [^;]*; policy drop;");
    private static final Pattern ROUTE =
            Pattern.compile("^(?:unreachable |blackhole )?([\\d.]+(?:/\\d+)?) (?:.*?dev (\\S+))?.*$");

    private final AgentConfig config;
    private final Commands commands;
    private final HostFacts facts;
    private final List<String> problems = new ArrayList<>();

    NetworkPreflight(AgentConfig config, Commands commands, HostFacts facts) {
        this.config = config;
        this.commands = commands;
        this.facts = facts;
    }

    List<String> run() {
        try {
            forwarding();
            firewall();
            oldFirewall();
        } catch (IOException e) {
            problem("the host's packet filter can't be read: %s; run the agent as root", Preflight.said(e));
        }
        try {
            routes();
        } catch (IOException e) {
            problem("the host's routes can't be read: %s; install iproute2 again", Preflight.said(e));
        }
        return List.copyOf(problems);
    }

    @FormatMethod
    private void problem(String text, Object... values) {
        problems.add(text.formatted(values));
    }

    private void forwarding() throws IOException {
        if (!facts.forwards()) {
            problem("IPv4 forwarding is off, so guests reach nothing; sysctl -w net.ipv4.ip_forward=1");
        }
    }

    private void firewall() throws IOException {
        Optional<Path> nft = facts.program("nft");
        String chain =
                nft.isEmpty() ? null : droppingChain(commands.run(nft.get().toString(), "list", "ruleset"));
        if (chain != null) {
            dropped("chain " + chain + " of this host's firewall");
        }
    }

    /** Rules of iptables' first kind, which nft does not show. */
    private void oldFirewall() throws IOException {
        Optional<Path> iptables = facts.program("iptables-legacy");
        if (iptables.isEmpty() || !facts.lines("proc/net/ip_tables_names").contains("filter")) {
            return;
        }
        String rules = commands.run(iptables.get().toString(), "-S", "FORWARD");
        if (rules.contains("-P FORWARD DROP") && !rules.contains("-i mf")) {
            dropped("iptables-legacy's chain FORWARD");
        }
    }

    private void dropped(String what) {
        problem(
                "%s drops what is forwarded; accept interfaces 'mf*' there in both directions, or set its policy to"
                        + " accept",
                what);
    }

    /** The first chain that drops what is forwarded by its policy without having heard of our interfaces. */
    static @Nullable String droppingChain(String ruleset) {
        Matcher drop = FORWARD_DROP.matcher(ruleset);
        while (drop.find()) {
            int end = ruleset.indexOf("\n\t}", drop.end());
            String rules = ruleset.substring(drop.end(), end < 0 ? ruleset.length() : end);
            if (!rules.contains("\"mf")) {
                return drop.group(1);
            }
        }
        return null;
    }

    private void routes() throws IOException {
        Optional<Path> ip = facts.program("ip");
        if (ip.isEmpty()) {
            return;
        }
        Ipv4Network pool = Ipv4Network.parse(config.addressPool());
        String routes = commands.run(ip.get().toString(), "-4", "-o", "route", "show");
        for (String line : routes.lines().toList()) {
            Matcher route = ROUTE.matcher(line + " ");
            if (!route.matches() || (route.group(2) != null && route.group(2).startsWith("mf"))) {
                continue;
            }
            Ipv4Network there = Ipv4Network.parse(route.group(1));
            if (there.overlaps(pool)) {
                problem(
                        "addressPool %s overlaps the route '%s' of this host; choose another pool",
                        config.addressPool(), line.strip());
            }
            if (there.overlaps(GUESTS)) {
                problem(
                        "the route '%s' of this host overlaps 198.18.0.0/15, which guests use for themselves; jobs can't"
                                + " reach what is there, so move it",
                        line.strip());
            }
        }
    }
}
