package dev.mayfly.agent.network;

/**
 * The packet filter inside a VM's own network namespace, as text for {@code nft -f}. Pure. It lets the guest reach its
 * relay, its host's registry and, within bounds of number and rate, whatever the host lets through; nothing but answers
 * comes in. A registry that is not there refuses at once, because docker waits for what is silent. Counting here keeps a
 * guest's flood out of the host's own connection table.
 */
public final class VmRules {

    private static final int MAX_CONNECTIONS = 4000;
    private static final int NEW_PER_SECOND = 200;

    private VmRules() {}

    /** The rules of the VM with this index. */
    public static String text(AddressPlan plan, int index, HostPorts ports) {
        return """
            table ip mayfly {
              chain to_host {
                type nat hook prerouting priority dstnat; policy accept;
                iifname "tap0" ip daddr %1$s tcp dport 80 dnat to %2$s:%3$d%9$s
              }
              chain from_guest {
                type nat hook postrouting priority srcnat; policy accept;
                oifname "eth0" masquerade
              }
              chain through {
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
                iifname != "tap0" drop
                ip saddr != %4$s drop
                ct state invalid drop
                limit rate over %5$d/second burst %6$d packets drop
                ct count over %7$d drop
                ct status dnat accept
                ip daddr %10$s reject with tcp reset
                ip daddr %8$s drop
                oifname "eth0" accept
              }
              chain inward {
                type filter hook input priority filter; policy drop;
                iifname "lo" accept
                iifname "tap0" icmp type echo-request accept
              }
            }
            """.formatted(
                        AddressPlan.RELAY,
                        plan.hostEnd(index),
                        ports.relay(),
                        AddressPlan.GUEST,
                        NEW_PER_SECOND,
                        2 * NEW_PER_SECOND,
                        MAX_CONNECTIONS,
                        plan.pool(),
                        registry(plan.hostEnd(index), ports),
                        AddressPlan.REGISTRY);
    }

    private static String registry(String hostEnd, HostPorts ports) {
        return ports.hasRegistry()
                ? "\n    iifname \"tap0\" ip daddr %s tcp dport 80 dnat to %s:%d"
                        .formatted(AddressPlan.REGISTRY, hostEnd, ports.registry())
                : "";
    }
}
