package dev.mayfly.agent.journal;

import dev.mayfly.workflows.job.VmSize;

/**
 * What the host remembers of a slot. Everything that the slot owns on this host derives its name from it.
 *
 * @param epoch the host's epoch at the grant
 * @param instance configured name of the GitLab instance that the slot's runner belongs to
 * @param title one line for people
 * @param stage how far the slot is
 * @param bootNumber the newest boot; 0 before the first
 * @param served whether any of a payload may have reached a guest of this slot
 * @param index of the slot's network addresses and user id in the host's {@code AddressPlan}
 * @param machineId 32 hex characters, random per slot
 */
public record SlotRecord(
        String slotId,
        long epoch,
        VmSize size,
        String instance,
        String title,
        Stage stage,
        int bootNumber,
        boolean served,
        int index,
        String machineId) {

    /** Whether a slot may run VMs. */
    public enum Stage {
        /** From its journalling on, whether or not a VM runs. */
        ACTIVE,
        /** Nothing may be left of it; journalled before the first step. */
        DESTROYING
    }

    public SlotRecord at(Stage newStage) {
        return new SlotRecord(slotId, epoch, size, instance, title, newStage, bootNumber, served, index, machineId);
    }

    /** This slot with its next boot about to start. */
    public SlotRecord nextBoot() {
        return new SlotRecord(slotId, epoch, size, instance, title, stage, bootNumber + 1, served, index, machineId);
    }

    /** This slot once a payload may have reached its guest. */
    public SlotRecord nowServed() {
        return new SlotRecord(slotId, epoch, size, instance, title, stage, bootNumber, true, index, machineId);
    }
}
