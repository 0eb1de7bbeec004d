package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assumptions.assumeThat;

import dev.mayfly.agent.cgroup.CgroupTrees;
import dev.mayfly.agent.cgroup.VmCgroups;
import dev.mayfly.agent.disk.ScratchDisks;
import dev.mayfly.agent.guest.DockerOptions;
import dev.mayfly.agent.image.GuestImage;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.HostPorts;
import dev.mayfly.agent.network.VmNetwork;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.process.RunningProcess;
import dev.mayfly.agent.vm.SlotNames;
import dev.mayfly.agent.vm.VmSpec;
import dev.mayfly.agent.vm.qemu.QemuCommandLine.Accelerator;
import dev.mayfly.workflows.job.VmSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** This machine as a host with one slot, under names, addresses and user ids of its own. */
final class QemuHost implements AutoCloseable {

    static final String INSTALLATION = "zzt9q";
    static final int RELAY_PORT = 18169;

    private static final String SLOT = INSTALLATION + "-1";
    private static final String PROTOTYPE = INSTALLATION + "-0";
    private static final Duration AGENT_GONE = Duration.ofSeconds(6);

    private final AddressPlan plan = new AddressPlan("10.231.0.0/24", 290_000, 50);
    private final Commands commands = new Commands(Duration.ofSeconds(30));
    private final VmNetwork network = new VmNetwork(commands, plan, new HostPorts(RELAY_PORT, 0));
    private final VmCgroups cgroups = new VmCgroups(CgroupTrees.find());
    private final ScheduledExecutorService beats = Executors.newSingleThreadScheduledExecutor();
    private final Path folder;
    private final Path run;
    private final Path heartbeat;
    private final int templates;
    private QemuMicroVms driver;

    /**
     * Skips the test where no VM can be run.
     *
     * @param templates how many it may keep
     */
    static QemuHost onThisMachine(Path folder, int templates) throws IOException {
        assumeThat(System.getenv("MAYFLY_IMAGE")).as("MAYFLY_IMAGE").isNotNull();
        assumeThat(Files.getAttribute(Path.of("/proc/self"), "unix:uid")).isEqualTo(0);
        return new QemuHost(folder, templates);
    }

    private QemuHost(Path folder, int templates) throws IOException {
        this.folder = folder;
        this.templates = templates;
        this.run = Files.createTempDirectory(Path.of("/run"), "mft");
        this.heartbeat = Files.createFile(run.resolve("heartbeat"));
        this.driver = agent();
        var unused = beats.scheduleAtFixedRate(this::beat, 0, 500, TimeUnit.MILLISECONDS);
    }

    private void beat() {
        try {
            Files.setLastModifiedTime(heartbeat, FileTime.from(Instant.now()));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    void stopHeartbeat() {
        beats.shutdownNow();
    }

    private QemuMicroVms agent() throws IOException {
        QemuSettings settings = new QemuSettings(
                folder.resolve("slots"),
                run,
                Path.of(System.getenv("MAYFLY_NATIVE"), "mayfly-guard"),
                heartbeat,
                AGENT_GONE,
                Duration.ofMinutes(10),
                List.of("10.231.0.1"),
                new DockerOptions("", "", true),
                folder.resolve("templates"),
                templates,
                4096);
        QemuCommandLine commandLine = new QemuCommandLine(
                Path.of("/usr/bin/qemu-system-x86_64"),
                GuestImage.open(Path.of(System.getenv("MAYFLY_IMAGE"))),
                Accelerator.TCG,
                tscKhz());
        return new QemuMicroVms(
                settings,
                commandLine,
                plan,
                commands,
                network,
                new ScratchDisks(commands, 100),
                cgroups,
                Clock.systemUTC());
    }

    private static long tscKhz() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            String mhz =
                    lines.filter(line -> line.startsWith("cpu MHz")).findFirst().orElseThrow();
            return Math.round(Double.parseDouble(mhz.substring(mhz.indexOf(':') + 1)) * 1000);
        }
    }

    QemuMicroVms driver() {
        return driver;
    }

    /** Forgets everything, as an agent that was killed. */
    void restartAgent() throws IOException {
        driver.close();
        driver = agent();
    }

    VmSpec vm(int boot) {
        return new VmSpec(SLOT, boot, VmSize.of(1000, 1024, 1024), 3, "0123456789abcdef0123456789abcdef", null);
    }

    private GuardFiles files(int boot) {
        return new GuardFiles(folder.resolve("slots").resolve(SLOT).resolve("boot-" + boot));
    }

    long vmmPid(int boot) throws IOException {
        return files(boot).readPids().orElseThrow().vmmPid();
    }

    /** What is on this machine of the slot: processes, network, control groups, disks. */
    List<String> leftOvers() throws IOException {
        List<String> left = new ArrayList<>();
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            processes
                    .filter(process -> process.getFileName().toString().matches("\\d+"))
                    .filter(this::isOurs)
                    .forEach(process -> left.add("process " + process.getFileName()));
        }
        for (String slot : List.of(SLOT, PROTOTYPE)) {
            left.addAll(leftOversOf(slot));
        }
        return left;
    }

    private List<String> leftOversOf(String id) throws IOException {
        List<String> left = new ArrayList<>();
        Stream.concat(cgroups.procsFiles(id).stream(), Stream.of(network.namespace(id)))
                .filter(Files::exists)
                .forEach(path -> left.add(path.toString()));
        if (commands.run("ip", "-o", "link").contains(" " + SlotNames.cable(id) + "@")) {
            left.add("cable of " + id);
        }
        Path slot = folder.resolve("slots").resolve(id);
        if (Files.exists(slot)) {
            try (Stream<Path> boots = Files.list(slot)) {
                boots.filter(path -> path.getFileName().toString().startsWith("boot-"))
                        .forEach(path -> left.add(path.toString()));
            }
        }
        return left;
    }

    private boolean isOurs(Path process) {
        try {
            long pid = Long.parseLong(process.getFileName().toString());
            return plan.ownsUid((Integer) Files.getAttribute(process, "unix:uid"))
                    && RunningProcess.now(pid).filter(RunningProcess::isAlive).isPresent();
        } catch (IOException gone) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        driver.destroy(vm(2));
        driver.destroy(vm(1));
        driver.close();
        beats.shutdownNow();
        commands.run("rm", "-rf", run.toString());
    }
}
