package dev.mayfly.agent.network;

import dev.mayfly.agent.process.CommandException;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.SlotNames;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The network of each VM: a namespace with a tap for the VMM and a cable to the host, the same addresses in each. Nothing
 * is remembered here: names and addresses follow from slot id and index, so after a crash {@link #remove} and
 * {@link #leftOver} find all of it.
 */
public final class VmNetwork {

    private static final Path NAMESPACES = Path.of("/run/netns");
    /** Of this process's own network namespace. */
    private static final Path DEVICES = Path.of("/proc/self/net/dev");

    private static final Pattern ADDRESS = Pattern.compile("inet ([0-9.]+)/");

    private final Commands commands;
    private final AddressPlan plan;
    private final HostPorts ports;

    public VmNetwork(Commands commands, AddressPlan plan, HostPorts ports) {
        this.commands = commands;
        this.plan = plan;
        this.ports = ports;
    }

    /** Where the VM's namespace can be entered. */
    public Path namespace(String slotId) {
        return NAMESPACES.resolve(SlotNames.namespace(slotId));
    }

    /** Creates the network of a slot that has none. Two processes, since each takes a part of a VM's start. */
    public void create(String slotId, int index) throws IOException {
        String namespace = SlotNames.namespace(slotId);
        commands.runWithInput(
                List.of("ip", "-batch", "-"), """
            netns add %2$s
            link add %1$s type veth peer name eth0 netns %2$s
            address add %3$s/30 dev %1$s
            link set %1$s up
            """.formatted(SlotNames.cable(slotId), namespace, plan.hostEnd(index)));
        commands.runWithInput(List.of("nsenter", "--net=" + NAMESPACES.resolve(namespace), "sh", "-e"), """
            echo 1 > /proc/sys/net/ipv4/ip_forward
            if [ -d /proc/sys/net/ipv6 ]; then echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; fi
            ip -batch - <<'END'
            link set lo up
            address add %1$s/30 dev eth0
            link set eth0 up
            tuntap add tap0 mode tap user %2$d group %2$d
            address add %3$s/30 dev tap0
            link set tap0 up
            route add default via %4$s
            END
            exec nft -f - <<'END'
            %5$s
            END
            """.formatted(
                        plan.vmEnd(index).getHostAddress(),
                        plan.uid(index),
                        AddressPlan.GATEWAY,
                        plan.hostEnd(index),
                        VmRules.text(plan, index, ports)));
    }

    /** Ensures that the slot has no network. */
    public void remove(String slotId) throws IOException {
        String cable = SlotNames.cable(slotId);
        if (isThere(cable)) {
            commands.run("ip", "link", "delete", cable);
        }
        if (Files.exists(namespace(slotId))) {
            commands.run("ip", "netns", "delete", SlotNames.namespace(slotId));
        }
    }

    /** Not by {@code /sys/class/net}, which shows the network that the agent's {@code /sys} was mounted in. */
    private static boolean isThere(String device) throws IOException {
        return Files.readAllLines(DEVICES).stream()
                .anyMatch(line -> line.strip().startsWith(device + ":"));
    }

    /** Slots of the installation whose networks lie within this host's address pool and that are not known. */
    public List<String> leftOver(String installation, Set<String> known) throws IOException {
        List<String> found = new ArrayList<>();
        for (String slotId : present(installation)) {
            if (!known.contains(slotId) && isOfThisHost(slotId)) {
                found.add(slotId);
            }
        }
        return found;
    }

    private List<String> present(String installation) throws IOException {
        List<String> slots = new ArrayList<>();
        if (!Files.isDirectory(NAMESPACES)) {
            return slots;
        }
        String prefix = SlotNames.namespacePrefix(installation);
        try (DirectoryStream<Path> all = Files.newDirectoryStream(NAMESPACES, prefix + "*")) {
            for (Path each : all) {
                String slotId = String.valueOf(each.getFileName()).substring("mayfly-".length());
                if (SlotNames.isSlotId(slotId)) {
                    slots.add(slotId);
                }
            }
        }
        return slots;
    }

    /** Another agent on this machine has another pool; a namespace without any cable is nobody's, so not touched. */
    private boolean isOfThisHost(String slotId) throws IOException {
        try {
            Matcher address = ADDRESS.matcher(commands.run(
                    "ip", "-n", SlotNames.namespace(slotId), "-o", "-4", "address", "show", "dev", "eth0"));
            return address.find() && plan.contains(address.group(1));
        } catch (CommandException noCable) {
            return false;
        }
    }
}
