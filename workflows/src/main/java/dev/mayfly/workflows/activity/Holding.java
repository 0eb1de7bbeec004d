package dev.mayfly.workflows.activity;

import dev.mayfly.workflows.job.VmSize;
import org.jspecify.annotations.Nullable;

/**
 * Which slot a job holds, as PostgreSQL says. A slot is one VM's whole estate: VM, project runner, reservation, claim.
 *
 * @param slotId {@code <installation>-<number>}, {@code [a-z0-9]{5}-[0-9]{1,7}}; names everything the slot owns
 * @param hostId the host that its reservation is on
 * @param epoch the host's epoch at the grant; the agent refuses any other
 * @param size the VM's size
 * @param generation rises with every change of who holds what; the higher one is newer
 * @param claimedJobId the GitLab job id that this slot's runner was handed, null before the claim
 */
public record Holding(
        String slotId,
        String hostId,
        long epoch,
        VmSize size,
        long generation,
        @Nullable Long claimedJobId) {}
