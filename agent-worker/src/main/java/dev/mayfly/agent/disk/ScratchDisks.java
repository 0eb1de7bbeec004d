package dev.mayfly.agent.disk;

import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.HostUnfitException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A scratch disk per VM: the image's empty file system in a file of the VM's size whose blocks are all allocated before the
 * VM starts, so that a full host is found out now and not in the middle of a job. The guest grows the file system.
 */
public final class ScratchDisks {

    private static final long MIB = 1L << 20;
    /** Holes stay holes: the template is mostly empty, and its blocks are allocated next. */
    private static final String COPY =
            "cp --sparse=auto --reflink=auto \"$1\" \"$2\" && exec fallocate --length \"$3\" \"$2\"";

    private final Commands commands;
    private final int floorMib;

    /**
     * Scratch disks.
     *
     * @param floorMib what must stay free on the host
     */
    public ScratchDisks(Commands commands, int floorMib) {
        this.commands = commands;
        this.floorMib = floorMib;
    }

    /** Makes the disk from an image's empty one, or from a VM template's, owned by the VM's user. */
    public void create(Path template, Path file, int mib, int uid) throws IOException, HostUnfitException {
        long freeMib = Files.getFileStore(file.toAbsolutePath().getParent()).getUsableSpace() / MIB;
        if (freeMib < (long) mib + floorMib) {
            throw new HostUnfitException(
                    "%s has %d MiB free; a scratch disk of %d MiB would leave less than the %d MiB that stay free: make room or state less disk"
                            .formatted(file.getParent(), freeMib, mib, floorMib));
        }
        try {
            commands.run("sh", "-c", COPY, "sh", template.toString(), file.toString(), mib + "MiB");
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw new HostUnfitException("no room for a scratch disk: " + e.getMessage(), e);
        }
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        own(file, uid);
    }

    /** Gives a file or folder to a VM's user. */
    public static void own(Path path, int uid) throws IOException {
        // Never what a link leads to: a VMM may write where this is called.
        Files.setAttribute(path, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(path, "unix:gid", uid, LinkOption.NOFOLLOW_LINKS);
    }
}
