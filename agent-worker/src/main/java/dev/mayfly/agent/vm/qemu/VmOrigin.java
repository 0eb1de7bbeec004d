package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.vm.qemu.GuardSpec.OpenFile;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a VM comes out of: an image, by a boot, or a template.
 *
 * @param scratch the disk that its own is copied from
 * @param memory where the VM's memory is; null for memory without a file
 * @param openFiles what its VMM finds open
 * @param arguments more for its VMM
 * @param inBackground whether it is to take little time from VMs that have jobs
 */
record VmOrigin(
        Path scratch,
        QemuCommandLine.@Nullable Memory memory,
        List<OpenFile> openFiles,
        List<String> arguments,
        boolean inBackground) {

    private static final int STATE = 100;
    /** How QMP names a template's state in the VMM of a clone. */
    static final String STATE_URI = "fd:" + STATE;

    private static final int MEMORY = 101;
    /** Where a VMM that has open files finds them. */
    static final Path OWN_FILES = Path.of("/own-files");

    /** A boot. */
    static VmOrigin boot(Path scratch) {
        return new VmOrigin(scratch, null, List.of(), List.of(), false);
    }

    /** A boot whose outcome becomes a template. */
    static VmOrigin prototype(Path scratch, Template becomes) {
        return new VmOrigin(scratch, QemuCommandLine.Memory.kept(becomes.ram()), List.of(), List.of(), true);
    }

    /**
     * No boot: the VM waits for {@link TemplateState#restore}.
     *
     * @param memory the file that {@link TemplateMemory} holds
     */
    static VmOrigin cloneOf(Template template, Path memory) {
        return new VmOrigin(
                template.scratch(),
                QemuCommandLine.Memory.own(OWN_FILES.resolve(Integer.toString(MEMORY))),
                List.of(new OpenFile(STATE, template.state().toString()), new OpenFile(MEMORY, memory.toString())),
                List.of("-incoming", "defer"),
                false);
    }
}
