package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.cgroup.VmCgroups;
import dev.mayfly.agent.claim.RunnerInfo;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.disk.ScratchDisks;
import dev.mayfly.agent.guest.GuestChannel;
import dev.mayfly.agent.guest.GuestIdentity;
import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.Resolvers;
import dev.mayfly.agent.network.VmNetwork;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.CleanUp;
import dev.mayfly.agent.vm.HostUnfitException;
import dev.mayfly.agent.vm.LeftOver;
import dev.mayfly.agent.vm.MicroVm;
import dev.mayfly.agent.vm.MicroVmDriver;
import dev.mayfly.agent.vm.VmSpec;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs VMs by QEMU's microvm machine, each under a guard of its own that outlives the agent. A VM is a clone of the template
 * of its size, or boots if there is none yet. Its RAM, disk and network exist only while it does.
 */
public final class QemuMicroVms implements MicroVmDriver, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(QemuMicroVms.class);
    /** On a host whose CPUs are overcommitted; it takes less than a second otherwise. */
    private static final Duration RESTORED_WITHIN = Duration.ofSeconds(30);

    private final QemuSettings settings;
    private final QemuCommandLine commandLine;
    private final AddressPlan plan;
    private final VmNetwork network;
    private final VmCgroups cgroups;
    private final Clock clock;
    private final QemuBoot boot;
    private final TemplateStore templates;
    private final TemplateMemory memory;
    private final TemplateMaker maker;
    private final GuardWatch watch = new GuardWatch();
    private final Map<String, QemuMicroVm> open = new ConcurrentHashMap<>();

    public QemuMicroVms(
            QemuSettings settings,
            QemuCommandLine commandLine,
            AddressPlan plan,
            Commands commands,
            VmNetwork network,
            ScratchDisks disks,
            VmCgroups cgroups,
            Clock clock)
            throws IOException {
        this.settings = settings;
        this.commandLine = commandLine;
        this.plan = plan;
        this.network = network;
        this.cgroups = cgroups;
        this.clock = clock;
        this.boot = new QemuBoot(settings, commandLine, plan, commands, network, disks, cgroups);
        this.templates = new TemplateStore(
                settings.templates(), settings.mostTemplates(), settings.templatesMib(), commandLine, commands, clock);
        this.memory = new TemplateMemory(settings.guard(), commands);
        this.maker = new TemplateMaker(templates, boot, memory, watch, plan.ownIndex(), this::removePrototype, clock);
    }

    @Override
    public String name() {
        return "qemu";
    }

    @Override
    public MicroVm start(VmSpec vm) throws IOException, HostUnfitException {
        destroy(vm);
        Optional<MicroVm> clone = startClone(vm);
        if (clone.isPresent()) {
            return clone.get();
        }
        boot.start(vm);
        return connect(vm);
    }

    /** Empty if there is no template or it is of no use; the VM is to be booted then. */
    private Optional<MicroVm> startClone(VmSpec vm) throws IOException {
        Optional<Template> template = templates.find(vm.size());
        if (template.isEmpty()) {
            maker.want(vm);
            return Optional.empty();
        }
        try {
            boot.startClone(vm, template.get(), memory.of(template.get()));
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException | HostUnfitException e) {
            // Not the template's fault, or it has just been deleted; if it is the host's, booting fails by it too.
            log.warn("slot {}: no clone could be started, so it boots", vm.slotId(), e);
            destroy(vm);
            return Optional.empty();
        }
        try {
            return Optional.of(restore(vm, template.get()));
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            discard(vm, template.get(), e.getMessage());
            destroy(vm);
            return Optional.empty();
        }
    }

    private MicroVm restore(VmSpec vm, Template template) throws IOException {
        TemplateState.restore(boot.qmpSocket(vm));
        QemuMicroVm clone = connect(vm);
        clone.awaitFirstWord(RESTORED_WITHIN);
        log.info("slot {}: a clone of {}", vm.slotId(), template.folder().getFileName());
        clone.whenAnswers().thenRun(() -> maker.succeeded(vm.size()));
        clone.whenEnds().thenAccept(end -> {
            if (end.cause() == Cause.GUEST_UNUSABLE) {
                discard(vm, template, end.detail());
            }
        });
        return clone;
    }

    private void discard(VmSpec vm, Template template, @Nullable String why) {
        if (templates.discard(template)) {
            maker.failed(vm.size(), "is of no use and dropped; VMs boot instead: " + why);
        }
    }

    @Override
    public MicroVm adopt(VmSpec vm) throws IOException {
        boot.forbidLateStart(vm);
        boot.endIfNotRestored(vm);
        return connect(vm);
    }

    private QemuMicroVm connect(VmSpec vm) {
        GuestIdentity identity = new GuestIdentity(
                vm.slotId(),
                vm.machineId(),
                Resolvers.resolvConf(settings.resolvers()),
                vm.caPem(),
                AddressPlan.GUEST + "/30",
                AddressPlan.GATEWAY,
                settings.docker());
        GuestChannel guest = new GuestChannel(vm.slotId(), boot.agentSocket(vm), identity, clock);
        QmpEvents qmp = new QmpEvents(vm.slotId(), boot.qmpSocket(vm));
        GuardFiles files = boot.files(vm);
        QemuMicroVm connected = new QemuMicroVm(vm.slotId(), files, guest, qmp, watch.exitOf(files));
        guest.open();
        qmp.open();
        disconnect(open.put(vm.slotId(), connected));
        return connected;
    }

    private static void disconnect(@Nullable QemuMicroVm vm) {
        if (vm != null) {
            vm.close();
        }
    }

    @Override
    public void kill(VmSpec vm) throws IOException {
        boot.end(vm);
    }

    @Override
    public void destroy(VmSpec vm) throws IOException {
        new CleanUp("slot %s is not all gone".formatted(vm.slotId()))
                .then(() -> boot.end(vm))
                .then(() -> disconnect(open.remove(vm.slotId())))
                .then(() -> network.remove(vm.slotId()))
                .then(() -> cgroups.remove(vm.slotId()))
                .then(() -> deleteBoots(vm.slotId()))
                .then(() -> DurableFiles.delete(boot.sockets(vm)))
                .orThrow();
    }

    private void removePrototype(VmSpec vm) throws IOException {
        destroy(vm);
        DurableFiles.delete(settings.slots().resolve(vm.slotId()));
        DurableFiles.delete(settings.run().resolve(vm.slotId()));
    }

    private void deleteBoots(String slotId) throws IOException {
        Path folder = settings.slots().resolve(slotId);
        if (!Files.isDirectory(folder)) {
            return;
        }
        List<Path> boots;
        try (Stream<Path> all = Files.list(folder)) {
            boots = all.filter(path -> path.getFileName().toString().startsWith("boot-"))
                    .toList();
        }
        for (Path each : boots) {
            DurableFiles.delete(each);
        }
    }

    @Override
    public List<LeftOver> leftOvers(String installation, Collection<VmSpec> known) throws IOException {
        Set<String> ids = known.stream().map(VmSpec::slotId).collect(Collectors.toSet());
        Set<Integer> uids = known.stream().map(vm -> plan.uid(vm.index())).collect(Collectors.toSet());
        return new QemuLeftOvers(settings.slots(), plan, network, cgroups).find(Set.of(installation), ids, uids);
    }

    @Override
    public InetAddress guestAddress(int index) {
        return plan.vmEnd(index);
    }

    @Override
    public Optional<String> image() {
        return Optional.of(commandLine.image().digest());
    }

    @Override
    public RunnerInfo runnerInfo() {
        return commandLine.image().manifest().runner();
    }

    /** Stops looking at VMs; they go on. */
    @Override
    public void close() {
        maker.close();
        memory.close();
        open.values().forEach(QemuMicroVm::close);
        watch.close();
    }
}
