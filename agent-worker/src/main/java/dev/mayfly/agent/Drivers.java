package dev.mayfly.agent;

import dev.mayfly.agent.AgentConfig.AcceleratorMode;
import dev.mayfly.agent.AgentConfig.RegistryConfig;
import dev.mayfly.agent.cgroup.CgroupTrees;
import dev.mayfly.agent.cgroup.VmCgroups;
import dev.mayfly.agent.disk.ScratchDisks;
import dev.mayfly.agent.guest.DockerOptions;
import dev.mayfly.agent.image.GuestImage;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.VmNetwork;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.registry.HostRegistry;
import dev.mayfly.agent.registry.Upstream;
import dev.mayfly.agent.vm.qemu.KvmProbe;
import dev.mayfly.agent.vm.qemu.QemuCommandLine;
import dev.mayfly.agent.vm.qemu.QemuCommandLine.Accelerator;
import dev.mayfly.agent.vm.qemu.QemuMicroVms;
import dev.mayfly.agent.vm.qemu.QemuSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts the QEMU driver together for this host. */
final class Drivers {

    private static final Logger log = LoggerFactory.getLogger(Drivers.class);
    private static final Duration REGISTRY_LOOKS = Duration.ofSeconds(10);
    private static final Path KVM = Path.of("/dev/kvm");

    private final AgentConfig config;
    private final Commands commands;
    private final AddressPlan plan;
    private final HostFacts facts = HostFacts.ofThisMachine();
    private final Clock clock;

    Drivers(AgentConfig config, Commands commands, AddressPlan plan, Clock clock) {
        this.config = config;
        this.commands = commands;
        this.plan = plan;
        this.clock = clock;
    }

    /** The driver; {@link Preflight} has found the host fit for it. */
    QemuMicroVms qemu(Path heartbeat, List<String> resolvers) throws IOException {
        Path imageFolder = config.image();
        Path nativeDir = config.nativeDir();
        if (imageFolder == null || nativeDir == null) {
            throw new IOException("image and nativeDir must be set for the qemu driver");
        }
        Path qemu = facts.program(config.qemu()).orElseThrow(() -> new IOException(config.qemu() + " is not there"));
        QemuSettings settings = new QemuSettings(
                config.stateDir().toAbsolutePath().resolve("slots"),
                config.runDir().toAbsolutePath(),
                nativeDir.toAbsolutePath().resolve("mayfly-guard"),
                heartbeat.toAbsolutePath(),
                config.timeouts().agentGone(),
                config.timeouts().vmTimeToLive(),
                resolvers,
                new DockerOptions(
                        config.guest().defaultImage(),
                        config.guest().helperImage(),
                        config.guest().privileged()),
                config.stateDir().toAbsolutePath().resolve("templates"),
                config.templates().most(),
                config.templates().diskMib());
        return new QemuMicroVms(
                settings,
                commandLine(qemu, GuestImage.open(imageFolder.toAbsolutePath())),
                plan,
                commands,
                new VmNetwork(commands, plan, config.ports()),
                new ScratchDisks(commands, config.capacity().diskFloorMib()),
                new VmCgroups(CgroupTrees.find()),
                clock);
    }

    /** The images that this host keeps for its guests. */
    HostRegistry registry() throws IOException {
        RegistryConfig wanted = config.registry();
        Path program =
                facts.program(wanted.program()).orElseThrow(() -> new IOException(wanted.program() + " is not there"));
        return new HostRegistry(new HostRegistry.Settings(
                program,
                plan.registryUid(),
                absolute(wanted.preload()),
                wanted.upstreams().stream().map(Upstream::parse).toList(),
                absolute(wanted.caFile()),
                wanted.diskMib(),
                config.stateDir().toAbsolutePath().resolve("registry"),
                config.runDir().toAbsolutePath().resolve("registry"),
                REGISTRY_LOOKS));
    }

    private static @Nullable Path absolute(@Nullable Path path) {
        return path == null ? null : path.toAbsolutePath();
    }

    private QemuCommandLine commandLine(Path qemu, GuestImage image) throws IOException {
        QemuCommandLine emulated = new QemuCommandLine(qemu, image, Accelerator.TCG, facts.tscKhz());
        Accelerator accelerator = switch (config.accelerator()) {
            case KVM -> Accelerator.KVM;
            case TCG -> Accelerator.TCG;
            case AUTO -> probe().choose(emulated);
        };
        if (accelerator == Accelerator.TCG && config.accelerator() == AcceleratorMode.AUTO) {
            log.warn("driver: qemu, emulated: KVM does not work here, so VMs are slow");
        }
        return new QemuCommandLine(qemu, image, accelerator, emulated.tscKhz());
    }

    private KvmProbe probe() {
        return new KvmProbe(
                commands,
                KVM,
                config.stateDir().resolve("kvm-probe"),
                config.runDir().toAbsolutePath().resolve("kvm-probe"),
                config.timeouts().kvmProbe(),
                clock);
    }
}
