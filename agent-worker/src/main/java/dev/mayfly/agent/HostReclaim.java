package dev.mayfly.agent;

import dev.mayfly.agent.AgentConfig.Driver;
import dev.mayfly.agent.cgroup.CgroupTrees;
import dev.mayfly.agent.cgroup.VmCgroups;
import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.agent.journal.SlotJournal;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.VmNetwork;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.LeftOver;
import dev.mayfly.agent.vm.SlotNames;
import dev.mayfly.agent.vm.qemu.QemuLeftOvers;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code bin/agent reclaim}: finds all that agents with this configuration left on this machine, for when none runs and
 * none shall take it over. Needs neither image nor control plane. {@link #find} changes nothing.
 */
final class HostReclaim {

    private final AgentConfig config;
    private final Commands commands;
    private final Clock clock;
    private final Path slots;

    HostReclaim(AgentConfig config, Commands commands, Clock clock) {
        this.config = config;
        this.commands = commands;
        this.clock = clock;
        this.slots = config.stateDir().toAbsolutePath().resolve("slots");
    }

    /**
     * What is there, in the order in which it must go.
     *
     * @param decommission also identity, tombstones and everything else in stateDir and runDir
     */
    List<LeftOver> find(boolean decommission) throws IOException {
        Set<String> journalled = slotsIn(slots);
        Set<String> running = slotsIn(config.runDir());
        List<LeftOver> found = new ArrayList<>();
        if (config.driver() == Driver.QEMU) {
            found.addAll(ofVms(journalled, running));
            found.addAll(tables());
        }
        for (String slotId : running) {
            Path folder = config.runDir().resolve(slotId);
            found.add(new LeftOver("folder " + folder, () -> DurableFiles.delete(folder)));
        }
        for (String slotId : journalled) {
            // With a tombstone: a launch that is still under way must not bring it back.
            found.add(new LeftOver(
                    "folder %s with disk and journal of the slot".formatted(slots.resolve(slotId)),
                    () -> journal().bury(slotId)));
        }
        if (decommission) {
            folder(config.runDir(), "all that is in runDir", found);
            folder(config.stateDir(), "this host's identity, tombstones and all else in stateDir", found);
        }
        return found;
    }

    private SlotJournal journal() throws IOException {
        return new SlotJournal(
                config.stateDir().toAbsolutePath(), clock, config.timeouts().tombstones());
    }

    private List<LeftOver> ofVms(Set<String> journalled, Set<String> running) throws IOException {
        Set<String> installations = new TreeSet<>();
        HostIdentity.keptLease(config.stateDir()).map(LeaseReply::installation).ifPresent(installations::add);
        Stream.concat(journalled.stream(), running.stream())
                .map(SlotNames::installation)
                .forEach(installations::add);
        AddressPlan plan = new AddressPlan(
                config.addressPool(),
                config.uidRange().first(),
                config.uidRange().size());
        VmNetwork network = new VmNetwork(commands, plan, config.ports());
        return new QemuLeftOvers(slots, plan, network, new VmCgroups(CgroupTrees.find()))
                .find(installations, Set.of(), Set.of());
    }

    /** Packet filters are named after installation and first user id, which no other agent of this machine has. */
    private List<LeftOver> tables() throws IOException {
        String name = "table ip mayfly_[a-z0-9]{5}_" + config.uidRange().first();
        return commands.run("nft", "list", "tables")
                .lines()
                .filter(line -> line.matches(name))
                .map(line ->
                        new LeftOver("packet filter " + line, () -> commands.run(("nft delete " + line).split(" "))))
                .toList();
    }

    private static void folder(Path folder, String what, List<LeftOver> found) {
        if (Files.exists(folder)) {
            found.add(new LeftOver("%s %s".formatted(what, folder), () -> DurableFiles.delete(folder)));
        }
    }

    private static Set<String> slotsIn(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return Set.of();
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(each -> String.valueOf(each.getFileName()))
                    .filter(SlotNames::isSlotId)
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
