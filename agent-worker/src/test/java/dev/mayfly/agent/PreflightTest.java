package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.image.TestImage;
import dev.mayfly.agent.process.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a machine that is made of files in a folder and scripts in place of its tools. */
class PreflightTest {

    @TempDir
    Path folder;

    private Path root;
    private AgentConfig config;

    @BeforeEach
    void aFitHost() throws IOException {
        root = folder.resolve("root");
        put("proc/meminfo", "MemTotal:       16000000 kB\n");
        put("proc/self/status", "Name:\tjava\nUid:\t0\t0\t0\t0\n");
        put("proc/self/mounts", "cgroup2 %s/sys/fs/cgroup cgroup2 rw 0 0\n".formatted(root));
        put("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
        put("proc/sys/net/ipv4/ip_forward", "1\n");
        put("dev/net/tun", "");
        put("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n");
        put("etc/subuid", "alice:100000:65536\n");
        for (String tool : List.of("setsid", "nsenter", "fallocate")) {
            tool(tool, "");
        }
        tool("ip", "echo 'default via 192.0.2.1 dev eth0'; echo '192.0.2.0/24 dev eth0 proto kernel scope link'");
        tool(
                "nft",
                "printf 'table inet filter {\\n\\tchain forward {\\n\\t\\ttype filter hook forward priority filter;"
                        + " policy accept;\\n\\t}\\n}\\n'");
        tool("qemu-system-x86_64", "echo 'microvm   microvm (i386)'");
        Files.createDirectories(folder.resolve("native"));
        executable(folder.resolve("native/mayfly-guard"), "");
        TestImage.in(Files.createDirectories(folder.resolve("image")));
        credential("rw-------");
        config("");
    }

    private void put(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    private void tool(String name, String body) throws IOException {
        Files.createDirectories(root.resolve("usr/sbin"));
        executable(root.resolve("usr/sbin").resolve(name), body);
    }

    private static void executable(Path file, String body) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void credential(String mode) throws IOException {
        Path file = folder.resolve("credential");
        Files.writeString(file, "secret");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }

    private void config(String more) {
        config = TestConfig.in(folder, """
                image: %1$s/image
                nativeDir: %1$s/native
                guest: {resolvers: [192.0.2.53]}
                %2$s
                """.formatted(folder, more));
    }

    private List<String> problems() {
        return new Preflight(
                        config,
                        new Commands(Duration.ofSeconds(10)),
                        Map.of(),
                        new HostFacts(root, root.resolve("bin").toString()))
                .run(true);
    }

    @Test
    void aFitHostHasNoProblem() {
        assertThat(problems()).isEmpty();
    }

    @Test
    void aRegistryNeedsItsProgramAndItsFolder() throws Exception {
        config("registry: {preload: %s/images, port: 8169, caFile: %s/no.pem}".formatted(folder, folder));
        assertThat(problems())
                .containsExactly(
                        "'docker-registry' is not there, which registry needs; install docker-registry, or correct registry.program",
                        "'setpriv' is not there, which registry needs; install util-linux",
                        "'tar' is not there, which registry needs; install tar",
                        "registry.preload %s/images is no folder; make it, and put archives of images there"
                                .formatted(folder),
                        "registry.caFile %s/no.pem can't be read; correct the path, or leave the key out"
                                .formatted(folder),
                        "registry.port and relayPort are both 8169; choose another registry.port");
        Files.createDirectories(folder.resolve("images"));
        config("registry: {preload: %s/images}".formatted(folder));
        for (String tool : List.of("docker-registry", "setpriv", "tar")) {
            tool(tool, "");
        }
        assertThat(problems()).isEmpty();
    }

    @Test
    void allProblemsAreToldAtOnceEachWithItsCure() throws Exception {
        put("proc/meminfo", "MemTotal:       500000 kB\n");
        put("proc/self/status", "Uid:\t1000\t1000\t1000\t1000\n");
        put("sys/fs/cgroup/cgroup.controllers", "cpu pids\n");
        put("proc/sys/net/ipv4/ip_forward", "0\n");
        Files.delete(root.resolve("dev/net/tun"));
        put("etc/subuid", "bob:290000:65536\n");
        Files.delete(root.resolve("usr/sbin/qemu-system-x86_64"));
        Files.delete(root.resolve("usr/sbin/nsenter"));
        Files.delete(folder.resolve("native/mayfly-guard"));
        Files.writeString(folder.resolve("image/rootfs.ext4"), "A ROOT FILE SYSTEM");
        tool(
                "nft",
                "printf 'table ip filter {\\n\\tchain FORWARD {\\n\\t\\ttype filter hook forward priority filter;"
                        + " policy drop;\\n\\t\\tiifname \"docker0\" accept\\n\\t}\\n}\\n'");
        tool("ip", "echo '10.231.0.0/16 via 192.0.2.7 dev eth0'; echo '198.19.0.0/16 dev tun9'");
        credential("rw-r--r--");
        config("capacity: {diskFloorMib: 2000000000}");

        assertThat(problems())
                .satisfiesExactlyInAnyOrder(
                        each("credentialFile", "open to others (rw-r--r--)", "chmod 600"),
                        each("488 MiB of memory", "at least 1024", "add some"),
                        each("2000000000 must stay free", "lower capacity.diskFloorMib"),
                        each("only root can", "as root"),
                        each("'nsenter'", "install util-linux"),
                        each("/dev/net/tun", "modprobe tun"),
                        each("'qemu-system-x86_64' is not there", "install qemu-system-x86"),
                        each("no executable mayfly-guard", "bin/setup"),
                        each("rootfs.ext4 differs from its digest", "build it anew"),
                        each("control groups lack memory", "cgroup_enable=memory"),
                        each("/etc/subuid gives bob ids of uidRange", "choose another"),
                        each("IPv4 forwarding is off", "sysctl -w net.ipv4.ip_forward=1"),
                        each("chain FORWARD of this host's firewall drops", "accept interfaces 'mf*'"),
                        each("addressPool 10.231.4.0/24 overlaps", "10.231.0.0/16 via 192.0.2.7", "another pool"),
                        each("198.19.0.0/16", "198.18.0.0/15", "move it"));
    }

    private static org.assertj.core.api.ThrowingConsumer<String> each(String... parts) {
        return problem -> assertThat(problem).contains(parts);
    }

    @Test
    void aFirewallThatLetsOurInterfacesThroughAndOurOwnRoutesAreNoProblem() throws Exception {
        tool(
                "nft",
                "printf 'table ip filter {\\n\\tchain FORWARD {\\n\\t\\ttype filter hook forward priority filter;"
                        + " policy drop;\\n\\t\\tiifname \"mf*\" accept\\n\\t}\\n}\\n'");
        tool("ip", "echo '10.231.4.0/30 dev mfk3x9p-17 proto kernel scope link src 10.231.4.1'");
        assertThat(problems()).isEmpty();
    }

    @Test
    void rulesOfTheFirstIptablesCountToo() throws Exception {
        tool("iptables-legacy", "echo '-P FORWARD DROP'");
        assertThat(problems()).as("not in use").isEmpty();
        put("proc/net/ip_tables_names", "nat\nfilter\n");
        assertThat(problems()).singleElement().asString().contains("iptables-legacy's chain FORWARD drops");
        tool("iptables-legacy", "echo '-P FORWARD DROP'; echo '-A FORWARD -i mf+ -j ACCEPT'");
        assertThat(problems()).isEmpty();
    }

    @Test
    void aMissingManifestAndAnotherArchitectureAreNamed() throws Exception {
        Path manifest = folder.resolve("image/manifest.json");
        Files.writeString(manifest, Files.readString(manifest).replace("\"x86_64\"", "\"arm64\""));
        assertThat(problems()).singleElement().asString().contains("is for arm64 and this host is x86_64");
        Files.delete(manifest);
        assertThat(problems())
                .singleElement()
                .asString()
                .contains("no such file: " + manifest)
                .contains("correct 'image'");
        TestImage.in(folder.resolve("image"));
        assertThat(problems()).isEmpty();
    }

    @Test
    void aQemuWithoutTheMachineAndOneThatDoesNotRunAreTold() throws Exception {
        tool("qemu-system-x86_64", "echo 'pc  Standard PC'");
        assertThat(problems()).singleElement().asString().contains("has no machine 'microvm'");
        tool("qemu-system-x86_64", "echo 'libfoo.so: not found'; exit 127");
        assertThat(problems())
                .singleElement()
                .asString()
                .contains("QEMU does not run")
                .contains("libfoo.so");
    }

    @Test
    void simulatedVmsNeedNoneOfTheHostsMeans() throws Exception {
        put("proc/self/status", "Uid:\t1000\t1000\t1000\t1000\n");
        Files.delete(root.resolve("dev/net/tun"));
        config("driver: simulated");
        assertThat(problems()).isEmpty();
    }

    @Test
    void aClockFarOffIsToldWithItsDirection() {
        Instant here = Instant.parse("2026-01-02T03:04:05Z");
        assertThat(ClockCheck.compare("Fri, 02 Jan 2026 03:04:50 GMT", here)).isEmpty();
        assertThat(ClockCheck.compare("Fri, 02 Jan 2026 03:14:05 GMT", here))
                .contains("this host's clock is 600 s behind the control plane's; have both set by NTP");
        assertThat(ClockCheck.compare("Fri, 02 Jan 2026 02:54:05 GMT", here))
                .get()
                .asString()
                .contains("600 s ahead of");
        assertThat(ClockCheck.compare("soon", here)).isEmpty();
    }

    @Test
    void moreMemoryThanTheMachineHasCantBeOffered() throws Exception {
        config("capacity: {memoryMib: 15626}");
        assertThat(problems())
                .containsExactly("capacity.memoryMib 15626 is more than the 15625 MiB that this host has;"
                        + " state less, or leave it out");
        config("capacity: {memoryMib: 15625}");
        assertThat(problems()).isEmpty();
    }

    @Test
    void capacityIsAsStatedElseWhatIsFoundLessAReserve() throws Exception {
        HostFacts facts = new HostFacts(root, "");
        AgentConfig stated = TestConfig.in(folder, "capacity: {cpus: 2.5, memoryMib: 99999, diskMib: 7}");
        assertThat(facts.capacity(stated))
                .isEqualTo(new dev.mayfly.workflows.agentapi.AgentApi.Capacity(2500, 99_999, 7));
        assertThat(facts.capacity(config).memoryMib()).isEqualTo(15_625 - 1562);
        assertThat(HostFacts.offeredMemory(2000)).isEqualTo(976);
        assertThat(HostFacts.offeredDisk(500, 1024)).isZero();
        AgentConfig greedy = TestConfig.in(folder, "registry: {upstreams: [docker.io], diskMib: 2000000000}");
        assertThat(facts.capacity(greedy).diskMib())
                .as("the rest is for images")
                .isZero();
    }
}
