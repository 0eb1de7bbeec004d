package dev.mayfly.agent;

import com.google.errorprone.annotations.FormatMethod;
import dev.mayfly.agent.AgentConfig.Driver;
import dev.mayfly.agent.AgentConfig.RegistryConfig;
import dev.mayfly.agent.AgentConfig.TlsConfig;
import dev.mayfly.agent.AgentConfig.UidRange;
import dev.mayfly.agent.cgroup.CgroupTrees;
import dev.mayfly.agent.image.GuestImage;
import dev.mayfly.agent.network.Resolvers;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.workflows.job.Arch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the host before anything is done to it, and tells of everything that is wrong at once, each with its cure.
 * Changes nothing; run by {@code bin/agent check} and at every start.
 */
final class Preflight {

    private static final Map<String, String> TOOLS = Map.of(
            "ip", "iproute2",
            "nft", "nftables",
            "setsid", "util-linux",
            "nsenter", "util-linux",
            "fallocate", "util-linux");
    private static final Map<String, String> REGISTRY_TOOLS = Map.of("setpriv", "util-linux", "tar", "tar");
    private static final int LEAST_MEMORY_MIB = 1024;
    /** UNIX socket paths end at 107 bytes; a slot's id and a socket's name come after the folder. */
    private static final int LONGEST_RUN_DIR = 107 - "/k3x9p-1234567/vm/agent.sock".length();

    private final AgentConfig config;
    private final Commands commands;
    private final Map<String, String> environment;
    private final HostFacts facts;
    private final List<String> problems = new ArrayList<>();

    Preflight(AgentConfig config, Commands commands, Map<String, String> environment, HostFacts facts) {
        this.facts = facts;
        this.config = config;
        this.commands = commands;
        this.environment = environment;
    }

    /**
     * All problems, a sentence each; empty if the host is fit.
     *
     * @param thorough also compare the image's digests, which reads all of it
     */
    List<String> run(boolean thorough) {
        credential();
        certificates();
        runDir();
        memory();
        disk();
        if (config.driver() == Driver.QEMU) {
            root();
            tools();
            tun();
            qemu();
            guard();
            image(thorough);
            cgroups();
            userIds();
            resolvers();
            registry();
            problems.addAll(new NetworkPreflight(config, commands, facts).run());
        }
        return List.copyOf(problems);
    }

    @FormatMethod
    private void problem(String text, Object... values) {
        problems.add(text.formatted(values));
    }

    static String said(Exception e) {
        return e instanceof NoSuchFileException ? "no such file: " + e.getMessage() : String.valueOf(e.getMessage());
    }

    private void credential() {
        try {
            Credential.read(config.controlPlane(), environment);
        } catch (IOException e) {
            problem("%s", said(e));
        }
    }

    private void certificates() {
        readable("controlPlane.caFile", config.controlPlane().caFile());
        TlsConfig tls = config.temporal().tls();
        if (tls != null) {
            readable("temporal.tls.caFile", tls.caFile());
            readable("temporal.tls.certFile", tls.certFile());
            readable("temporal.tls.keyFile", tls.keyFile());
        }
    }

    private void readable(String key, @Nullable Path file) {
        if (file != null && !Files.isReadable(file)) {
            problem("%s %s can't be read; correct the path, or leave the key out", key, file);
        }
    }

    private void runDir() {
        int length = config.runDir().toAbsolutePath().toString().length();
        if (length > LONGEST_RUN_DIR) {
            problem(
                    "runDir %s is %d characters long, which leaves no room for socket names; choose one of at most %d",
                    config.runDir(), length, LONGEST_RUN_DIR);
        }
    }

    private void memory() {
        try {
            int found = facts.memoryMib();
            if (found < LEAST_MEMORY_MIB) {
                problem("this host has %d MiB of memory, at least %d are needed; add some", found, LEAST_MEMORY_MIB);
            }
            Integer stated = config.capacity().memoryMib();
            if (config.driver() == Driver.QEMU && stated != null && stated > found) {
                problem(
                        "capacity.memoryMib %d is more than the %d MiB that this host has; state less, or leave it out",
                        stated, found);
            }
        } catch (IOException e) {
            problem("the host's memory can't be found out: %s", said(e));
        }
    }

    private void disk() {
        try {
            long free = HostFacts.freeDiskMib(config.stateDir());
            int floor = config.capacity().diskFloorMib();
            if (free <= floor) {
                problem(
                        "stateDir %s has %d MiB free and %d must stay free; make room, or lower capacity.diskFloorMib",
                        config.stateDir(), free, floor);
            }
        } catch (IOException e) {
            problem("stateDir %s: its free space can't be found out: %s", config.stateDir(), said(e));
        }
    }

    private void root() {
        try {
            if (facts.uid() != 0) {
                problem(
                        "the qemu driver makes networks and users' jails, which only root can; start the agent as root");
            }
        } catch (IOException e) {
            problem("this process's user can't be found out: %s", said(e));
        }
    }

    private void tools() {
        TOOLS.forEach((tool, debianPackage) -> {
            if (facts.program(tool).isEmpty()) {
                problem("'%s' is not on the PATH; install %s", tool, debianPackage);
            }
        });
    }

    private void tun() {
        if (!facts.opens("dev/net/tun")) {
            problem("/dev/net/tun can't be opened; load it by 'modprobe tun', and give it to the container if this is"
                    + " one");
        }
    }

    private void qemu() {
        Optional<Path> qemu = facts.program(config.qemu());
        if (qemu.isEmpty()) {
            problem("'%s' is not there; install qemu-system-x86 or set 'qemu' to its path", config.qemu());
            return;
        }
        try {
            if (!commands.run(qemu.get().toString(), "-machine", "help").contains("microvm")) {
                problem("%s has no machine 'microvm'; install QEMU 7 or newer", qemu.get());
            }
        } catch (IOException e) {
            problem("QEMU does not run: %s; install qemu-system-x86 again", said(e));
        }
    }

    private void guard() {
        Path folder = config.nativeDir();
        if (folder == null) {
            problem("nativeDir is not set; name the folder that holds mayfly-guard");
        } else if (!Files.isExecutable(folder.resolve("mayfly-guard"))) {
            problem("nativeDir %s holds no executable mayfly-guard; run bin/setup or correct nativeDir", folder);
        }
    }

    private void image(boolean thorough) {
        Path folder = config.image();
        if (folder == null) {
            problem("image is not set; name the folder of a guest image");
            return;
        }
        try {
            GuestImage image = GuestImage.open(folder);
            Arch arch = image.manifest().arch();
            if (arch != HostFacts.arch()) {
                problem(
                        "image %s is for %s and this host is %s; build it here",
                        folder, arch.tag(), HostFacts.arch().tag());
            }
            image.damage(thorough).forEach(damage -> problem("image: %s; build it anew", damage));
        } catch (IOException e) {
            problem("image %s can't be used (%s); build it by bin/setup or correct 'image'", folder, said(e));
        }
    }

    private void registry() {
        RegistryConfig registry = config.registry();
        if (!registry.isOn()) {
            return;
        }
        for (String tool : List.of(registry.program(), "setpriv", "tar")) {
            if (facts.program(tool).isEmpty()) {
                problem(
                        "'%s' is not there, which registry needs; install %s",
                        tool, REGISTRY_TOOLS.getOrDefault(tool, "docker-registry, or correct registry.program"));
            }
        }
        if (registry.preload() != null && !Files.isDirectory(registry.preload())) {
            problem("registry.preload %s is no folder; make it, and put archives of images there", registry.preload());
        }
        readable("registry.caFile", registry.caFile());
        if (registry.port() == config.relayPort()) {
            problem("registry.port and relayPort are both %d; choose another registry.port", registry.port());
        }
    }

    private void cgroups() {
        try {
            List<String> missing =
                    CgroupTrees.parse(facts.lines("proc/self/mounts")).missing();
            if (!missing.isEmpty()) {
                problem(
                        "control groups lack %s; mount cgroup2 on /sys/fs/cgroup, and boot with 'cgroup_enable=memory' if"
                                + " that is missing",
                        String.join(", ", missing));
            }
        } catch (IOException e) {
            problem("control groups can't be found out: %s", said(e));
        }
    }

    /** Left-over processes are known by their user id, so nobody else may have one of the range. */
    private void userIds() {
        UidRange range = config.uidRange();
        try {
            for (String line : facts.lines("etc/passwd")) {
                String[] field = line.split(":", -1);
                if (field.length > 2 && range.overlaps(Long.parseLong(field[2]), 1)) {
                    problem("user %s has id %s of uidRange; choose another uidRange", field[0], field[2]);
                }
            }
            for (String line : facts.lines("etc/subuid")) {
                String[] field = line.split(":", -1);
                if (field.length == 3 && range.overlaps(Long.parseLong(field[1]), Long.parseLong(field[2]))) {
                    problem(
                            "/etc/subuid gives %s ids of uidRange (%s from %s on); choose another uidRange",
                            field[0], field[2], field[1]);
                }
            }
        } catch (IOException | NumberFormatException e) {
            problem("this host's user ids can't be read: %s; correct /etc/passwd or /etc/subuid", said(e));
        }
    }

    private void resolvers() {
        try {
            if (Resolvers.find(config.guest().resolvers()).isEmpty()) {
                problem("no DNS server for guests was found in resolv.conf; name some by guest.resolvers");
            }
        } catch (IOException e) {
            problem("resolv.conf can't be read: %s; name DNS servers by guest.resolvers", said(e));
        }
    }
}
