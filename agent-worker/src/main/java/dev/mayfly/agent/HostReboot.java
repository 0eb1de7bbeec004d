package dev.mayfly.agent;

import dev.mayfly.agent.process.Commands;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reboots this machine when the control plane says so and nothing is left on it. Not to be told of kept replies. */
final class HostReboot implements Consumer<LeaseReply> {

    private static final Logger log = LoggerFactory.getLogger(HostReboot.class);

    private final HostSlots slots;
    private final Commands commands;
    private final List<String> command;
    private boolean begun;

    /** @param command what reboots the machine, such as {@code systemctl reboot} */
    HostReboot(HostSlots slots, Commands commands, List<String> command) {
        this.slots = slots;
        this.commands = commands;
        this.command = List.copyOf(command);
    }

    @Override
    public synchronized void accept(LeaseReply reply) {
        if (!reply.reboot() || begun || !slots.all().isEmpty()) {
            return;
        }
        log.warn("nothing is left on this host, so it reboots, as an operator ordered");
        try {
            commands.runWithInput(command, "");
            begun = true;
        } catch (IOException e) {
            log.error("this host could not reboot; tried again with the next lease: {}", e.getMessage());
        }
    }
}
