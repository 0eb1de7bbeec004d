package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.cgroup.VmCgroups;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.VmNetwork;
import dev.mayfly.agent.vm.LeftOver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Finds what VMs left on this host: processes, then networks, then control groups, in the order in which they must go. Only
 * what lies within this host's user ids and addresses counts, so another agent's VMs on the same machine never do.
 */
public final class QemuLeftOvers {

    private final LeftOverProcesses processes;
    private final AddressPlan plan;
    private final VmNetwork network;
    private final VmCgroups cgroups;

    /**
     * A finder.
     *
     * @param slots folder of this agent's slots
     */
    public QemuLeftOvers(Path slots, AddressPlan plan, VmNetwork network, VmCgroups cgroups) {
        this.processes = new LeftOverProcesses(slots, plan);
        this.plan = plan;
        this.network = network;
        this.cgroups = cgroups;
    }

    /** All that belongs to none of the known slots. */
    public List<LeftOver> find(Set<String> installations, Set<String> knownSlots, Set<Integer> knownUids)
            throws IOException {
        List<LeftOver> found = new ArrayList<>(processes.find(knownSlots, knownUids));
        for (String installation : installations) {
            for (String slotId : network.leftOver(installation, knownSlots)) {
                found.add(new LeftOver("network of " + slotId, () -> network.remove(slotId)));
            }
            for (String slotId : cgroups.leftOver(installation, knownSlots, plan::ownsUid)) {
                found.add(new LeftOver("control group of " + slotId, () -> cgroups.remove(slotId)));
            }
        }
        return found;
    }
}
