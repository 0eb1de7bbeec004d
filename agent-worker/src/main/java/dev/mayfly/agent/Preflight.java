package dev.mayfly.agent;

import com.google.errorprone.annotations.FormatMethod;
import dev.mayfly.agent.AgentConfig.Driver;
import dev.mayfly.agent.cgroup.CgroupTrees;
import dev.mayfly.agent.image.GuestImage;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.Resolvers;
import dev.mayfly.agent.process.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    private static final int LEAST_MEMORY_MIB = 1024;
    /** UNIX socket paths end at 107 bytes; a slot's id and a socket's name come after the folder. */
    private static final int LONGEST_RUN_DIR = 107 - "/k3x9p-1234567/vm/agent.sock".length();

    private static final Pattern FORWARD_DROP =
            Pattern.compile("chain (\\S+) \\{\\s*type filter hook forward [^;]*; policy drop;");

    private final AgentConfig config;
    private final Commands commands;
    private final Map<String, String> environment;
    private final List<String> problems = new ArrayList<>();

    Preflight(AgentConfig config, Commands commands, Map<String, String> environment) {
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
        addresses();
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
            forwarding();
            resolvers();
        }
        return List.copyOf(problems);
    }

    @FormatMethod
    private void problem(String text, Object... values) {
        problems.add(text.formatted(values));
    }

    private static String said(Exception e) {
        return String.valueOf(e.getMessage());
    }

    private void credential() {
        try {
            Credential.read(config.controlPlane(), environment);
        } catch (IOException e) {
            problem("%s", said(e));
        }
    }

    private void addresses() {
        try {
            new AddressPlan(
                    config.addressPool(),
                    config.uidRange().first(),
                    config.uidRange().size());
        } catch (IllegalArgumentException e) {
            problem("addressPool: %s", said(e));
        }
        for (String endpoint : config.egress().allow()) {
            if (!endpoint.matches("[^:\\s]+:\\d{1,5}")) {
                problem("egress.allow: '%s' is no host:port, such as registry.example.com:443", endpoint);
            }
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
            int found = HostFacts.memoryMib();
            if (found < LEAST_MEMORY_MIB) {
                problem("this host has %d MiB of memory, at least %d are needed; add some", found, LEAST_MEMORY_MIB);
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
            if (!Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
                problem(
                        "the qemu driver makes networks and users' jails, which only root can; start the agent as root");
            }
        } catch (IOException e) {
            problem("this process's user can't be found out: %s", said(e));
        }
    }

    private void tools() {
        TOOLS.forEach((tool, debianPackage) -> {
            if (HostFacts.program(tool).isEmpty()) {
                problem("'%s' is not on the PATH; install %s", tool, debianPackage);
            }
        });
    }

    private void tun() {
        if (!Files.isWritable(Path.of("/dev/net/tun"))) {
            problem("/dev/net/tun can't be opened; load it by 'modprobe tun'");
        }
    }

    private void qemu() {
        Optional<Path> qemu = HostFacts.program(config.qemu());
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
            GuestImage.open(folder).damage(thorough).forEach(damage -> problem("image: %s; build it anew", damage));
        } catch (IOException e) {
            problem("image %s can't be used (%s); build it by bin/setup or correct 'image'", folder, e);
        }
    }

    private void cgroups() {
        try {
            if (!CgroupTrees.find().complete()) {
                problem("control groups for memory, cpu and pids are not all mounted; mount cgroup2 on /sys/fs/cgroup");
            }
        } catch (IOException e) {
            problem("control groups can't be found out: %s", said(e));
        }
    }

    private void forwarding() {
        try {
            if (!Files.readString(Path.of("/proc/sys/net/ipv4/ip_forward"))
                    .strip()
                    .equals("1")) {
                problem("IPv4 forwarding is off, so guests reach nothing; sysctl -w net.ipv4.ip_forward=1");
            }
            String chain =
                    HostFacts.program("nft").isEmpty() ? null : droppingChain(commands.run("nft", "list", "ruleset"));
            if (chain != null) {
                problem(
                        "chain %s of this host's firewall drops what is forwarded; accept interfaces 'mf*' there, or"
                                + " set its policy to accept",
                        chain);
            }
        } catch (IOException e) {
            problem("the host's packet filter can't be read: %s", said(e));
        }
    }

    /** The first chain that drops what is forwarded by its policy without having heard of our interfaces. */
    static @Nullable String droppingChain(String ruleset) {
        Matcher drop = FORWARD_DROP.matcher(ruleset);
        while (drop.find()) {
            int end = ruleset.indexOf("\n\t}", drop.end());
            String rules = ruleset.substring(drop.end(), end < 0 ? ruleset.length() : end);
            if (!rules.contains("\"mf")) {
                return drop.group(1);
            }
        }
        return null;
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
