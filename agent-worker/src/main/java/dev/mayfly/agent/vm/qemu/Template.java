package dev.mayfly.agent.vm.qemu;

import java.nio.file.Path;

/** A VM as it was saved between its boot and its first order: memory, devices' state and disk. Never written to. */
record Template(Path folder) {

    static final String RAM = "ram";
    static final String STATE = "state";
    static final String SCRATCH = "scratch.ext4";

    Path ram() {
        return folder.resolve(RAM);
    }

    Path state() {
        return folder.resolve(STATE);
    }

    Path scratch() {
        return folder.resolve(SCRATCH);
    }
}
