package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.guest.GuestChannel;
import dev.mayfly.agent.guest.GuestIdentity;
import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.qemu.QemuCommandLine.Accelerator;
import dev.mayfly.workflows.job.VmSize;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out whether KVM works here by booting the real image under it: a /dev/kvm that opens proves nothing. What was found
 * is kept for this kernel, QEMU and image.
 */
public final class KvmProbe {

    private static final Logger log = LoggerFactory.getLogger(KvmProbe.class);
    private static final VmSize SMALL = VmSize.of(1000, 512, 0);

    /** Ends a VMM that hangs even if this process is gone by then. */
    private static final String[] BOUNDED = {"timeout", "--kill-after=1"};

    private final Commands commands;
    private final Path device;
    private final Path cache;
    private final Path workFolder;
    private final Duration limit;
    private final Clock clock;

    /**
     * A probe.
     *
     * @param device {@code /dev/kvm}
     * @param cache the file that keeps what was found
     * @param workFolder a folder of its own, removed afterwards
     * @param limit a boot that takes longer counts as hung
     */
    public KvmProbe(Commands commands, Path device, Path cache, Path workFolder, Duration limit, Clock clock) {
        this.commands = commands;
        this.device = device;
        this.cache = cache;
        this.workFolder = workFolder;
        this.limit = limit;
        this.clock = clock;
    }

    /** KVM if a guest boots under it, else TCG. */
    public Accelerator choose(QemuCommandLine commandLine) throws IOException {
        if (!Files.isWritable(device)) {
            return Accelerator.TCG;
        }
        String key = String.join(
                " ",
                System.getProperty("os.version", ""),
                commands.run(commandLine.qemu().toString(), "--version")
                        .lines()
                        .findFirst()
                        .orElse(""),
                commandLine.image().digest());
        if (Files.exists(cache)) {
            List<String> kept = Files.readAllLines(cache);
            if (kept.size() == 2 && kept.get(0).equals(key)) {
                log.info("accelerator {}, as found before; delete {} to have KVM tried again", kept.get(1), cache);
                return Accelerator.valueOf(kept.get(1));
            }
        }
        Accelerator found = boots(commandLine) ? Accelerator.KVM : Accelerator.TCG;
        DurableFiles.write(cache, (key + "\n" + found + "\n").getBytes(StandardCharsets.UTF_8));
        return found;
    }

    private boolean boots(QemuCommandLine commandLine) throws IOException {
        log.info("trying whether a guest boots under KVM, for at most {} s", limit.toSeconds());
        DurableFiles.delete(workFolder);
        Files.createDirectories(workFolder);
        try {
            Path scratch = workFolder.resolve("scratch.ext4");
            // Mostly holes, and the folder may be on tmpfs.
            commands.run(
                    "cp",
                    "--sparse=always",
                    commandLine.image().scratchTemplate().toString(),
                    scratch.toString());
            return boots(commandLine, scratch);
        } finally {
            DurableFiles.delete(workFolder);
        }
    }

    private boolean boots(QemuCommandLine commandLine, Path scratch) throws IOException {
        Path agentSocket = workFolder.resolve("agent.sock");
        List<String> argv = new ArrayList<>(List.of(BOUNDED));
        argv.add(Long.toString(limit.toSeconds() + 1));
        argv.addAll(new QemuCommandLine(commandLine.qemu(), commandLine.image(), Accelerator.KVM, 0)
                .argv(SMALL, new QemuCommandLine.Files(scratch, agentSocket, workFolder.resolve("qmp.sock"))));
        GuestIdentity nobody = new GuestIdentity("probe", "0".repeat(32), "", null, "", "");
        Process vmm = commands.startChild(argv, workFolder.resolve("console.log"));
        try (GuestChannel guest = new GuestChannel("probe", agentSocket, nobody, clock)) {
            guest.open();
            guest.booted()
                    .applyToEither(vmm.onExit().thenApply(ended -> null), any -> null)
                    .get(limit.toMillis(), TimeUnit.MILLISECONDS);
            boolean booted = guest.booted().isDone();
            log.info("KVM {}", booted ? "works" : "does not work here: QEMU ended at once; emulating instead");
            return booted;
        } catch (TimeoutException e) {
            log.warn(
                    "under KVM no guest boots within {} s here, so VMs are emulated, which is slow", limit.toSeconds());
            return false;
        } catch (ExecutionException e) {
            throw new IOException("could not try KVM", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while trying KVM");
        } finally {
            // Not by force: it passes the signal on to the VMM and sees to its end.
            vmm.destroy();
            vmm.onExit().join();
        }
    }
}
