/** MicroVMs by QEMU's microvm machine, under KVM where it works, else emulated. */
@NullMarked
package dev.mayfly.agent.vm.qemu;

import org.jspecify.annotations.NullMarked;
