package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.vm.qemu.GuardSpec.Memory;
import dev.mayfly.agent.vm.qemu.GuardSpec.OpenFile;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a VM comes out of: an image, by a boot, or a template.
 *
 * @param scratch the disk that its own is copied from
 * @param ram the file that holds its memory, as its VMM sees it; null for memory without a file
 * @param memory how that file comes into being; null if the VMM makes it
 * @param openFiles what its VMM finds open
 * @param arguments more for its VMM
 * @param inBackground whether it is to take no time from VMs that have jobs
 */
record VmOrigin(
        Path scratch,
        @Nullable Path ram,
        @Nullable Memory memory,
        List<OpenFile> openFiles,
        List<String> arguments,
        boolean inBackground) {

    private static final int STATE = 100;
    /** How QMP names a template's state in the VMM of a clone. */
    static final String STATE_URI = "fd:" + STATE;

    private static final Path RAM_IN_JAIL = Path.of("/memory/ram");

    /** A boot. */
    static VmOrigin boot(Path scratch) {
        return new VmOrigin(scratch, null, null, List.of(), List.of(), false);
    }

    /** A boot whose outcome becomes a template. */
    static VmOrigin prototype(Path scratch, Template becomes) {
        return new VmOrigin(scratch, becomes.ram(), null, List.of(), List.of(), true);
    }

    /** No boot: the VM waits for {@link TemplateState#restore}. */
    static VmOrigin cloneOf(Template template) {
        return new VmOrigin(
                template.scratch(),
                RAM_IN_JAIL,
                new Memory(RAM_IN_JAIL.toString(), template.ram().toString()),
                List.of(new OpenFile(STATE, template.state().toString())),
                List.of("-incoming", "defer"),
                false);
    }
}
