package dev.mayfly.agent;

import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.AllowedEndpoints;
import dev.mayfly.agent.network.HostFirewall;
import dev.mayfly.agent.network.HostPorts;
import dev.mayfly.agent.network.HostRules;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.HostUnfitException;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the host's packet filter as each lease reply wants it, and lets no VM start before it stands: a guest without it
 * would reach private networks. What stands outlives the agent.
 */
final class LeaseFirewall implements Consumer<LeaseReply>, HostSlots.LaunchGate {

    private static final Logger log = LoggerFactory.getLogger(LeaseFirewall.class);

    private final Commands commands;
    private final AddressPlan plan;
    private final HostPorts ports;
    private final List<String> resolvers;
    private final List<String> alsoAllowed;
    private @Nullable HostFirewall firewall;
    private volatile String problem = "the control plane has not said yet what guests may reach";

    LeaseFirewall(
            Commands commands, AddressPlan plan, HostPorts ports, List<String> resolvers, List<String> alsoAllowed) {
        this.commands = commands;
        this.plan = plan;
        this.ports = ports;
        this.resolvers = List.copyOf(resolvers);
        this.alsoAllowed = List.copyOf(alsoAllowed);
    }

    @Override
    public synchronized void accept(LeaseReply reply) {
        HostFirewall current = firewall;
        if (current == null) {
            current = new HostFirewall(commands, new HostRules(reply.installation(), plan, ports), resolvers);
            firewall = current;
        }
        try {
            current.allow(AllowedEndpoints.of(reply.instances(), alsoAllowed));
            problem = "";
        } catch (IOException | RuntimeException e) {
            // Rules that stand already are not touched by a failed change.
            problem = problem.isEmpty() ? "" : String.valueOf(e.getMessage());
            log.error("the host's packet filter could not be set, tried again with the next lease", e);
        }
    }

    @Override
    public void check() throws HostUnfitException {
        String now = problem;
        if (!now.isEmpty()) {
            throw new HostUnfitException("no VM starts before the host's packet filter is set: " + now);
        }
    }
}
