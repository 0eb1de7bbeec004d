package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.cgroup.VmCgroups;
import dev.mayfly.agent.cgroup.VmCgroups.Limits;
import dev.mayfly.agent.disk.ScratchDisks;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.VmNetwork;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.HostUnfitException;
import dev.mayfly.agent.vm.VmSpec;
import dev.mayfly.agent.vm.qemu.GuardFiles.Exit;
import dev.mayfly.agent.vm.qemu.GuardFiles.Pids;
import dev.mayfly.agent.vm.qemu.GuardSpec.Jail;
import dev.mayfly.agent.vm.qemu.QemuCommandLine.Accelerator;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes what a boot needs and starts its guard. Every name follows from slot id and boot number, so that whoever comes after
 * a crash finds all of it.
 */
final class QemuBoot {

    private static final Logger log = LoggerFactory.getLogger(QemuBoot.class);
    private static final long CONSOLE_LIMIT = 1 << 20;
    private static final int PROCESSES = 128;
    private static final long START_WITHIN_NANOS = 20_000_000_000L;
    private static final List<String> PROGRAM_FOLDERS = List.of("/usr", "/lib", "/lib64", "/etc/ld.so.cache");

    private final QemuSettings settings;
    private final QemuCommandLine commandLine;
    private final AddressPlan plan;
    private final Commands commands;
    private final VmNetwork network;
    private final ScratchDisks disks;
    private final VmCgroups cgroups;

    QemuBoot(
            QemuSettings settings,
            QemuCommandLine commandLine,
            AddressPlan plan,
            Commands commands,
            VmNetwork network,
            ScratchDisks disks,
            VmCgroups cgroups) {
        this.settings = settings;
        this.commandLine = commandLine;
        this.plan = plan;
        this.commands = commands;
        this.network = network;
        this.disks = disks;
        this.cgroups = cgroups;
    }

    /** The files of a boot, whether or not they exist. */
    GuardFiles files(VmSpec vm) {
        return new GuardFiles(settings.slots().resolve(vm.slotId()).resolve("boot-" + vm.bootNumber()));
    }

    /** Where the VMM makes its sockets; short, because their paths must be. */
    Path sockets(VmSpec vm) {
        return settings.run().resolve(vm.slotId()).resolve("vm");
    }

    Path agentSocket(VmSpec vm) {
        return sockets(vm).resolve("agent.sock");
    }

    Path qmpSocket(VmSpec vm) {
        return sockets(vm).resolve("qmp.sock");
    }

    /** Boots the image; nothing of an earlier boot may be left. */
    void start(VmSpec vm) throws IOException, HostUnfitException {
        start(vm, VmOrigin.boot(commandLine.image().scratchTemplate()));
    }

    /** Makes everything and starts the VMM. */
    private void start(VmSpec vm, VmOrigin origin) throws IOException, HostUnfitException {
        refuseDamagedImage();
        GuardFiles files = files(vm);
        int uid = plan.uid(vm.index());
        privateFolder(files.folder());
        privateFolder(files.vmFolder());
        privateFolder(sockets(vm));
        ScratchDisks.own(files.vmFolder(), uid);
        ScratchDisks.own(sockets(vm), uid);
        Path scratch = files.vmFolder().resolve("scratch.ext4");
        disks.create(origin.scratch(), scratch, vm.size().diskMib(), uid);
        network.create(vm.slotId(), vm.index());
        cgroups.create(
                vm.slotId(),
                new Limits(
                        QemuCommandLine.memoryLimitBytes(vm.size()),
                        vm.size().milliCpus(),
                        PROCESSES,
                        origin.inBackground()),
                uid);
        Files.write(files.spec(), spec(vm, origin, files, scratch, uid).toJson());
        commands.startDetached(List.of(settings.guard().toString(), files.spec().toString()), files.log());
        awaitStart(vm, files);
    }

    /** It may have gone since the agent started. */
    private void refuseDamagedImage() throws IOException, HostUnfitException {
        List<String> damage = commandLine.image().damage(false);
        if (!damage.isEmpty()) {
            throw new HostUnfitException(
                    "the guest image is of no use: %s; build it anew, or correct image in agent.yml"
                            .formatted(String.join("; ", damage)));
        }
    }

    /** Boots a VM whose {@link GuardFiles#vmFolder} becomes a template once it is saved. */
    void startPrototype(VmSpec vm) throws IOException, HostUnfitException {
        Template becomes = new Template(files(vm).vmFolder());
        privateFolder(becomes.folder());
        start(vm, VmOrigin.prototype(commandLine.image().scratchTemplate(), becomes));
    }

    /** Saves what such a boot has become; its memory and disk are in the folder already. */
    void saveAs(VmSpec vm, Template template) throws IOException {
        TemplateState.save(qmpSocket(vm), sockets(vm).resolve("state.sock"), plan.uid(vm.index()), template.state());
    }

    /** Makes a VM that waits to go on where the template stands, with the memory that is held of it. */
    void startClone(VmSpec vm, Template template, Path memory) throws IOException, HostUnfitException {
        start(vm, VmOrigin.cloneOf(template, memory));
    }

    private GuardSpec spec(VmSpec vm, VmOrigin origin, GuardFiles files, Path scratch, int uid) {
        List<String> argv = commandLine.argv(
                vm.size(), new QemuCommandLine.Files(scratch, agentSocket(vm), qmpSocket(vm), origin.memory()));
        argv.addAll(commandLine.network());
        argv.addAll(origin.arguments());
        return new GuardSpec(
                vm.slotId(),
                argv,
                uid,
                uid,
                network.namespace(vm.slotId()).toString(),
                GuardSpec.joining(cgroups.procsFiles(vm.slotId())),
                GuardSpec.text(cgroups.killFile(vm.slotId())),
                jail(files, vm, origin),
                origin.openFiles(),
                files.console().toString(),
                CONSOLE_LIMIT,
                settings.timeToLive().toSeconds(),
                settings.heartbeat().toString(),
                settings.heartbeatMaxAge().toSeconds(),
                files.pids().toString(),
                files.exit().toString(),
                files.killRequest().toString());
    }

    private Jail jail(GuardFiles files, VmSpec vm, VmOrigin origin) {
        List<String> readOnly = new ArrayList<>(PROGRAM_FOLDERS);
        readOnly.removeIf(folder -> !Files.exists(Path.of(folder)));
        readOnly.add(commandLine.image().folder().toString());
        List<String> devices = new ArrayList<>(List.of("/dev/net/tun", "/dev/null", "/dev/urandom"));
        if (kvm()) {
            devices.add("/dev/kvm");
        }
        return new Jail(
                readOnly,
                List.of(files.vmFolder().toString(), sockets(vm).toString()),
                devices,
                origin.openFiles().isEmpty() ? null : VmOrigin.OWN_FILES.toString());
    }

    private boolean kvm() {
        return commandLine.accelerator() == Accelerator.KVM;
    }

    /** Started means that QEMU has made its sockets; before that it may still refuse its arguments. */
    private void awaitStart(VmSpec vm, GuardFiles files) throws IOException {
        long deadline = System.nanoTime() + START_WITHIN_NANOS;
        while (!Files.exists(agentSocket(vm)) || !Files.exists(files.pids())) {
            Optional<Exit> exit = files.readExit();
            if (exit.isPresent()) {
                throw new IOException("slot %s: its VM ended while starting (%s): %s; console: %s"
                        .formatted(vm.slotId(), exit.get().reason(), exit.get().message(), consoleOf(files)));
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("slot %s: its VM did not start within 20 s; guard: %s"
                        .formatted(vm.slotId(), Files.exists(files.log()) ? Files.readString(files.log()) : "silent"));
            }
            pause();
        }
    }

    private static String consoleOf(GuardFiles files) throws IOException {
        return Files.exists(files.console()) ? String.join(" | ", ConsoleLog.tail(files.console(), 5)) : "empty";
    }

    /** A boot that has not begun by now never does: a guard that its agent started just before it died would begin it. */
    void forbidLateStart(VmSpec vm) throws IOException {
        GuardFiles files = files(vm);
        if (files.readPids().isEmpty() && files.readExit().isEmpty()) {
            requestKill(files);
        }
    }

    /** A clone whose agent ended before it was told to go on never would. */
    void endIfNotRestored(VmSpec vm) throws IOException {
        GuardFiles files = files(vm);
        if (!Files.exists(files.spec()) || !Files.readString(files.spec()).contains("\"-incoming\"")) {
            return;
        }
        try {
            if (TemplateState.waitsForRestore(qmpSocket(vm))) {
                end(vm);
            }
        } catch (IOException ended) {
            log.debug("slot {}: its VMM does not answer; its end is told by its guard", vm.slotId(), ended);
        }
    }

    private static void requestKill(GuardFiles files) throws IOException {
        if (Files.isDirectory(files.folder()) && !Files.exists(files.killRequest())) {
            Files.createFile(files.killRequest());
        }
    }

    /** Ends the boot: by its guard, which writes down why, else by what the guard would have used. */
    void end(VmSpec vm) throws IOException {
        GuardFiles files = files(vm);
        Optional<Pids> pids = files.readPids();
        // Also stops a guard that is about to start.
        requestKill(files);
        cgroups.kill(vm.slotId());
        if (pids.isEmpty()) {
            return;
        }
        long deadline = System.nanoTime() + START_WITHIN_NANOS / 4;
        while (GuardWatch.guardOf(pids.get()).isAlive()) {
            if (System.nanoTime() > deadline) {
                GuardWatch.guardOf(pids.get()).kill();
            }
            pause();
        }
    }

    private static void privateFolder(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(2);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a VM starts or ends");
        }
    }
}
