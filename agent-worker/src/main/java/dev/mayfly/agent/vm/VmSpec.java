package dev.mayfly.agent.vm;

import dev.mayfly.workflows.job.VmSize;
import org.jspecify.annotations.Nullable;

/**
 * One boot of a slot's VM, as a driver is told about it.
 *
 * @param bootNumber 1 for the slot's first VM
 * @param index of the VM's addresses and user id in the host's address plan
 * @param machineId 32 hex characters
 * @param caPem private CA certificates for the guest's trust store, null if there are none
 */
public record VmSpec(
        String slotId,
        int bootNumber,
        VmSize size,
        int index,
        String machineId,
        @Nullable String caPem) {}
