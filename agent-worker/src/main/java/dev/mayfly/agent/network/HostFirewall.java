package dev.mayfly.agent.network;

import dev.mayfly.agent.network.HostRules.Endpoint;
import dev.mayfly.agent.process.Commands;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the host's packet filter as {@link HostRules} wants it. Names are resolved anew with every call; one that does
 * not resolve keeps the addresses it had. The table outlives the agent, so running VMs stay fenced in.
 */
public final class HostFirewall {

    private static final Logger log = LoggerFactory.getLogger(HostFirewall.class);

    private final Commands commands;
    private final HostRules rules;
    private final List<String> resolvers;
    private final Map<String, List<String>> known = new HashMap<>();
    private String applied = "";

    public HostFirewall(Commands commands, HostRules rules, List<String> resolvers) {
        this.commands = commands;
        this.rules = rules;
        this.resolvers = resolvers;
    }

    /**
     * Lets guests reach these, and no others on private addresses.
     *
     * @param allowed {@code host:port} each
     */
    public synchronized void allow(Set<String> allowed) throws IOException {
        Collection<Endpoint> endpoints = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        for (String hostPort : allowed) {
            if (!AllowedEndpoints.isEndpoint(hostPort)) {
                log.error(
                        "'{}' is no host:port, so guests can't reach it; correct it at the GitLab instance", hostPort);
                continue;
            }
            int colon = hostPort.lastIndexOf(':');
            String host = hostPort.substring(0, colon);
            int port = Integer.parseInt(hostPort.substring(colon + 1));
            List<String> addresses = resolve(host);
            addresses.forEach(address -> endpoints.add(new Endpoint(address, port)));
            if (addresses.isEmpty()) {
                unknown.add(host);
            }
        }
        if (!unknown.isEmpty() && applied.isEmpty() && stands()) {
            log.warn("{} can't be found, so what an earlier agent let guests reach stays until it can", unknown);
            return;
        }
        String text = rules.text(endpoints, resolvers);
        if (!text.equals(applied)) {
            commands.runWithInput(List.of("nft", "-f", "-"), text);
            applied = text;
            log.info("guests may reach {}", endpoints);
        }
    }

    private boolean stands() {
        try {
            return !commands.run("nft", "list", "table", "ip", rules.table()).isEmpty();
        } catch (IOException absent) {
            return false;
        }
    }

    private List<String> resolve(String host) {
        try {
            List<String> addresses = Arrays.stream(InetAddress.getAllByName(host))
                    .filter(Inet4Address.class::isInstance)
                    .map(InetAddress::getHostAddress)
                    .toList();
            known.put(host, addresses);
            return addresses;
        } catch (UnknownHostException e) {
            log.warn("{} does not resolve here, so guests keep what it was before; check the host's DNS", host);
            return known.getOrDefault(host, List.of());
        }
    }
}
