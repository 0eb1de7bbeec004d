package dev.mayfly.agent.vm;

import dev.mayfly.agent.claim.RunnerInfo;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * A way to run VMs. Knows nothing of GitLab, jobs or claims. The caller journals a slot before it calls, and makes no two
 * calls for one slot at a time. Whatever a crash of the agent leaves behind, {@link #destroy} or {@link #leftOvers}
 * finds.
 */
public interface MicroVmDriver {

    /** As it stands in the lease: {@code qemu}, {@code simulated}. */
    String name();

    /**
     * Starts a boot. What an earlier boot of the slot left is erased first. If it throws, something may have been left:
     * call {@link #destroy}.
     *
     * @throws HostUnfitException if this host can't start it, now or soon
     */
    MicroVm start(VmSpec vm) throws IOException, HostUnfitException;

    /** The boot that an earlier agent started; if it has ended meanwhile or never began, its end is complete already. */
    MicroVm adopt(VmSpec vm) throws IOException;

    /** Ensures that the boot runs no more; its files stay for the console's sake. */
    void kill(VmSpec vm) throws IOException;

    /** Ensures that nothing of the slot is left: processes, network, disks, limits. Tries every step, then throws. */
    void destroy(VmSpec vm) throws IOException;

    /**
     * What carries this installation's prefix, lies within this host's address and user id ranges, and belongs to none of
     * {@code known}, in the order in which it must go. Called before any other call.
     */
    List<LeftOver> leftOvers(String installation, Collection<VmSpec> known) throws IOException;

    /** The address that the slot's guest has at the relay. */
    InetAddress guestAddress(int index);

    /** Digest of the image that VMs are started from; empty if the driver has none. */
    Optional<String> image();

    /** What the runner in the guest says of itself. */
    RunnerInfo runnerInfo();
}
