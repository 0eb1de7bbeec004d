package dev.mayfly.agent.network;

import dev.mayfly.agent.vm.SlotNames;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The host's packet filter for all its VMs, as text for {@code nft -f}. Pure. One table per installation and user id
 * range; replaced as a whole in one transaction. First comes what is allowed though it may be private (GitLab, its
 * registry, resolvers), then private, link-local, multicast and the host's own addresses are dropped, then the world is
 * open.
 */
public final class HostRules {

    /** What no guest reaches unless it is allowed by name: RFC 6890's special networks. */
    private static final List<String> CLOSED = List.of(
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "224.0.0.0/3");

    private final String installation;
    private final AddressPlan plan;
    private final HostPorts ports;

    public HostRules(String installation, AddressPlan plan, HostPorts ports) {
        this.installation = installation;
        this.plan = plan;
        this.ports = ports;
    }

    /** An address and TCP port that guests may reach. */
    public record Endpoint(String address, int port) {}

    /** The table's name. */
    public String table() {
        return "mayfly_%s_%d".formatted(installation, plan.firstUid());
    }

    /** Ensures that the table is gone. */
    public String removal() {
        return "table ip %1$s {}\ndelete table ip %1$s\n".formatted(table());
    }

    /** Ensures that the table is there and as wanted. */
    public String text(Collection<Endpoint> allowed, Collection<String> resolvers) {
        String endpoints = allowed.stream()
                .map(endpoint -> "%s . %d".formatted(endpoint.address(), endpoint.port()))
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
        String names = resolvers.stream().distinct().sorted().collect(Collectors.joining(", "));
        return removal()
                + """
                table ip %1$s {
                  set allowed { type ipv4_addr . inet_service;%2$s }
                  set resolvers { type ipv4_addr;%3$s }
                  set closed { type ipv4_addr; flags interval; elements = { %4$s } }
                  chain guest_out {
                    ct state established,related accept
                    ip daddr . tcp dport @allowed accept
                    ip daddr @resolvers meta l4proto { tcp, udp } th dport 53 accept
                    oifname "%5$s*" drop
                    ip daddr @closed drop
                    accept
                  }
                  chain through {
                    type filter hook forward priority filter; policy accept;
                    iifname "%5$s*" ip saddr %6$s jump guest_out
                    oifname "%5$s*" ip daddr %6$s ct state established,related accept
                    oifname "%5$s*" ip daddr %6$s drop
                  }
                  chain inward {
                    type filter hook input priority filter; policy accept;
                    iifname "%5$s*" ip saddr %6$s tcp dport %7$s accept
                    iifname "%5$s*" ip saddr %6$s ct state established,related accept
                    iifname "%5$s*" ip saddr %6$s drop
                    iifname != "lo" iifname != "mf*" tcp dport %7$s drop
                  }
                  chain outward {
                    type filter hook output priority filter; policy accept;
                    oifname "%5$s*" ip daddr %6$s tcp sport %7$s tcp sequence 0 tcp flags & (rst | ack) == rst | ack drop
                  }
                  chain to_world {
                    type nat hook postrouting priority srcnat; policy accept;
                    ip saddr %6$s oifname != "mf*" masquerade
                  }
                }
                """.formatted(
                                table(),
                                elements(endpoints),
                                elements(names),
                                String.join(", ", CLOSED),
                                SlotNames.cablePrefix(installation),
                                plan.pool(),
                                ports);
    }

    private static String elements(String list) {
        return list.isEmpty() ? "" : " elements = { " + list + " }";
    }
}
