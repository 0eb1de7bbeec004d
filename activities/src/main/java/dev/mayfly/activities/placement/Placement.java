package dev.mayfly.activities.placement;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.List;

/**
 * Which waiting job goes to which host. A pure function: the same fleet, queue, usage, rules and time give the same
 * decision, and nothing else is looked at.
 *
 * <p><b>Which host.</b> Of the hosts that could run the request (architecture, labels, and large enough when empty), are
 * ready and have room, the one with the smallest <em>leftover</em>: with the request placed, the sum over CPU, memory and
 * disk of the square of what is still free as a share of the host's capacity. It is small where the host is nearly full,
 * so others stay free for large jobs; and of equally full hosts it takes the one whose rest is most even, so that no
 * resource is left over that nothing can be placed with. Ties go to the host that comes first. {@link Rules#spread()}
 * takes the largest instead. Memory and disk are never given twice; CPUs are as far as {@link Room#free()} says.
 *
 * <p><b>Heads.</b> A request that has no room now, but could run on hosts for which no earlier head waits, becomes a
 * <em>head</em>. Those behind it may pass it (backfill), but do not delay it:
 *
 * <ul>
 *   <li>Where the expected ends of VMs tell when it will have room somewhere, the earliest such host is reserved for it
 *       (EASY: Lifka, <i>The ANL/IBM SP scheduling system</i>, 1995): others get it only if they are expected to end
 *       before, or fit beside the head at that time. Who is overdue may end at any moment.
 *   <li>Expectations may be wrong or missing, so grants past it are counted, whatever was expected. After
 *       <i>K</i> = {@link Rules#passesBeforeReserve()} of them a host is closed for all others, the one that lacks least,
 *       and one more each time that it was passed <i>K</i> times more for each host that could run it.
 * </ul>
 *
 * <p><b>Bound.</b> If at most <i>n</i> hosts could run a head, at most <i>K(n² − n + 1)</i> grants pass it. Proof: only a
 * grant on one of these hosts passes it. After <i>K + iKn</i> passes <i>i + 1</i> of them are closed, hence all after
 * <i>K + (n − 1)Kn</i>, and a closed host is granted to no other. A request that waits and is no head: each host that
 * could run it is one for which an earlier head waits, so whatever passes it on such a host passes such a head, too. So
 * with <i>a</i> requests ahead of it, at most <i>a + (a + 1) · K(n² − n + 1)</i> grants on hosts that could run it precede
 * its own, <i>n</i> being all hosts; {@link Order} says how large <i>a</i> gets.
 *
 * <p>A request at a {@link Limit} waits for its own project, group or instance: it is no head, and the bound counts from
 * when it is below the limit.
 */
public final class Placement {

    private Placement() {}

    /**
     * Decides.
     *
     * @param rooms all hosts that are not LOST, in the order that breaks ties
     * @param inOrder the queue, or its first part
     * @param usage what slots take now, by project; only looked at if there are limits
     */
    public static Decision place(List<Room> rooms, List<Request> inOrder, List<Usage> usage, Rules rules, Instant now) {
        PlacementPass pass = new PlacementPass(rooms, new Quotas(rules.limits(), usage), rules, now);
        inOrder.forEach(pass::look);
        return pass.decision();
    }

    /** Whether a host of this architecture has room for a VM of this size if it has so much. */
    public static boolean fits(VmSize size, Arch arch, Capacity into) {
        return size.arch() == arch && fits(size, into);
    }

    /** Whether a VM of this size fits into so much. */
    static boolean fits(VmSize size, Capacity into) {
        return size.milliCpus() <= into.milliCpus()
                && size.hostMemoryMib() <= into.memoryMib()
                && size.diskMib() <= into.diskMib();
    }

    /** What a VM of this size takes of its host. */
    public static Capacity taken(VmSize size) {
        return new Capacity(size.milliCpus(), size.hostMemoryMib(), size.diskMib());
    }
}
