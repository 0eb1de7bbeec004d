package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.disk.ScratchDisks;
import dev.mayfly.agent.image.GuestImage;
import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.workflows.job.VmSize;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The templates of this host, a folder for each size. They are of one image, VMM, accelerator and boot of the host; whatever
 * else is found is deleted. Bounded in number and disk: the one that no VM was made of for longest goes first, if that is long.
 */
final class TemplateStore {

    private static final Logger log = LoggerFactory.getLogger(TemplateStore.class);
    private static final Duration IDLE = Duration.ofHours(1);
    private static final Path HOST_BOOT = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path ROOT = Path.of("/");
    private static final QemuCommandLine.Files NOWHERE =
            new QemuCommandLine.Files(ROOT, ROOT, ROOT, QemuCommandLine.Memory.kept(ROOT));

    private final Path folder;
    private final int most;
    private final long mostMib;
    private final Commands commands;
    private final Clock clock;
    private final String kind;

    /**
     * Deletes templates that do not fit any more.
     *
     * @param most how many there may be, 0 for none
     * @param mostMib disk that they may take together
     */
    TemplateStore(Path folder, int most, long mostMib, QemuCommandLine commandLine, Commands commands, Clock clock)
            throws IOException {
        this.folder = folder;
        this.most = most;
        this.mostMib = mostMib;
        this.commands = commands;
        this.clock = clock;
        this.kind = kindOf(commandLine, commands);
        Files.createDirectories(folder);
        for (Path each : all()) {
            if (most == 0 || !each.getFileName().toString().endsWith(kind)) {
                log.info("template {} is of another image, VMM or boot of this host: deleted", each.getFileName());
                DurableFiles.delete(each);
            }
        }
    }

    /** What must be the same for a template to be of use, but for the size. */
    private static String kindOf(QemuCommandLine commandLine, Commands commands) throws IOException {
        String all = String.join(
                "\n",
                Files.readString(HOST_BOOT),
                commands.run(commandLine.qemu().toString(), "--version"),
                commandLine.image().digest(),
                String.join(" ", commandLine.argv(VmSize.of(1000, 1024, 1024), NOWHERE)));
        return "-" + GuestImage.sha256(all.getBytes(StandardCharsets.UTF_8)).substring(0, 12);
    }

    boolean isOn() {
        return most > 0;
    }

    /** Whether another one may be made: else more sizes are in use than there may be templates, and each would go unused. */
    boolean hasRoom() throws IOException {
        Instant idle = clock.instant().minus(IDLE);
        return (all().size() < most && usedMib() < mostMib)
                || all().stream().anyMatch(each -> lastUse(each).toInstant().isBefore(idle));
    }

    /** A template for VMs of this size; it counts as used now. */
    Optional<Template> find(VmSize size) throws IOException {
        Path found = of(size);
        try {
            Files.setLastModifiedTime(found, FileTime.from(clock.instant()));
            return Optional.of(new Template(found));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        }
    }

    /** Two sizes that differ in CPU quota alone share a template. */
    private Path of(VmSize size) {
        return folder.resolve("%dcpu-%dmib-%dmib%s".formatted(size.vcpus(), size.memoryMib(), size.diskMib(), kind));
    }

    /** Takes a finished template's folder over, and deletes others if there are too many now. */
    Template keep(VmSize size, Path finished) throws IOException {
        Path kept = of(size);
        DurableFiles.delete(kept);
        takeOver(finished);
        Files.move(finished, kept, StandardCopyOption.ATOMIC_MOVE);
        Files.setLastModifiedTime(kept, FileTime.from(clock.instant()));
        List<Path> byAge = new ArrayList<>(all());
        byAge.sort(Comparator.comparing(TemplateStore::lastUse));
        while (byAge.size() > most || (byAge.size() > 1 && usedMib() > mostMib)) {
            Path oldest = byAge.remove(0);
            log.info("template {} makes room for another", oldest.getFileName());
            DurableFiles.delete(oldest);
        }
        return new Template(kept);
    }

    /** From now on it is root's alone, whatever the VMM that wrote it may have put there. */
    private void takeOver(Path finished) throws IOException {
        own(finished, "rwx------");
        List<Path> files = list(finished);
        for (Path file : files) {
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new IOException(file + " is no file: the VM that made it is not to be trusted");
            }
        }
        // Its disk was given in full; a copy has only the blocks that hold something.
        Path scratch = finished.resolve(Template.SCRATCH);
        Path lean = finished.resolve(Template.SCRATCH + ".lean");
        commands.run("cp", "--sparse=always", scratch.toString(), lean.toString());
        Files.move(lean, scratch, StandardCopyOption.REPLACE_EXISTING);
        for (Path file : files) {
            own(file, "r--------");
        }
    }

    private static void own(Path path, String permissions) throws IOException {
        ScratchDisks.own(path, 0);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }

    /** It turned out to be of no use; whether it was there until now. */
    boolean discard(Template template) {
        boolean wasThere = Files.exists(template.folder());
        try {
            DurableFiles.delete(template.folder());
        } catch (IOException e) {
            log.warn("{} could not be deleted", template.folder(), e);
        }
        return wasThere;
    }

    private List<Path> all() throws IOException {
        return list(folder);
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> found = Files.list(folder)) {
            return found.toList();
        }
    }

    private static FileTime lastUse(Path template) {
        try {
            return Files.getLastModifiedTime(template);
        } catch (IOException gone) {
            return FileTime.fromMillis(0);
        }
    }

    /** Blocks, not lengths: the files are mostly holes. */
    private long usedMib() throws IOException {
        String[] columns = commands.run("du", "-sm", folder.toString()).split("\\s", 2);
        return Long.parseLong(columns[0]);
    }
}
