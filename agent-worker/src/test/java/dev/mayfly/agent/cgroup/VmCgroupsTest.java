package dev.mayfly.agent.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.agent.cgroup.VmCgroups.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On folders that look like control group trees. */
class VmCgroupsTest {

    private static final Limits LIMITS = new Limits(2L << 30, 1500, 128, false);

    @TempDir
    Path sys;

    private CgroupTrees v2() {
        return CgroupTrees.parse(List.of("cgroup2 %s/fs cgroup2 rw,nosuid 0 0".formatted(sys)));
    }

    private CgroupTrees v1() {
        return CgroupTrees.parse(List.of(
                "cgroup %s/memory cgroup rw,memory 0 0".formatted(sys),
                "cgroup %s/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0".formatted(sys),
                "cgroup %s/pids cgroup rw,pids 0 0".formatted(sys),
                "cgroup2 %s/unified cgroup2 rw 0 0".formatted(sys)));
    }

    private String text(String file) throws IOException {
        return Files.readString(sys.resolve(file));
    }

    private static int gid() throws IOException {
        return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:gid");
    }

    @Test
    void onV2AllLimitsAreOfOneGroupAndSwapIsOff() throws Exception {
        Files.createDirectories(sys.resolve("fs/mayfly/k3x9p-1"));
        Files.createFile(sys.resolve("fs/mayfly/k3x9p-1/memory.swap.max"));

        new VmCgroups(v2()).create("k3x9p-1", LIMITS, gid());

        assertThat(text("fs/mayfly/k3x9p-1/memory.max")).isEqualTo("2147483648");
        assertThat(text("fs/mayfly/k3x9p-1/memory.swap.max")).isEqualTo("0");
        assertThat(text("fs/mayfly/k3x9p-1/cpu.max")).isEqualTo("150000 100000");
        assertThat(text("fs/mayfly/k3x9p-1/pids.max")).isEqualTo("128");
        assertThat(text("fs/mayfly/k3x9p-1/cpu.weight")).isEqualTo("150");
        assertThat(Integer.parseInt(text("fs/mayfly/cpu.weight")))
                .isEqualTo(100 * Runtime.getRuntime().availableProcessors());
        assertThat(text("fs/cgroup.subtree_control")).isEqualTo("+memory +cpu +pids");
        assertThat(text("fs/mayfly/cgroup.subtree_control")).isEqualTo("+memory +cpu +pids");
        assertThat(new VmCgroups(v2()).procsFiles("k3x9p-1"))
                .containsExactly(sys.resolve("fs/mayfly/k3x9p-1/cgroup.procs"));
    }

    @Test
    void onV1EachLimitIsInItsControllersTreeAndTheV2TreeEndsProcesses() throws Exception {
        VmCgroups cgroups = new VmCgroups(v1());
        cgroups.create("k3x9p-1", LIMITS, gid());
        Files.createFile(sys.resolve("unified/mayfly/k3x9p-1/cgroup.kill"));

        assertThat(text("memory/mayfly/k3x9p-1/memory.limit_in_bytes")).isEqualTo("2147483648");
        assertThat(text("cpu,cpuacct/mayfly/k3x9p-1/cpu.cfs_quota_us")).isEqualTo("150000");
        assertThat(text("cpu,cpuacct/mayfly/k3x9p-1/cpu.cfs_period_us")).isEqualTo("100000");
        assertThat(text("pids/mayfly/k3x9p-1/pids.max")).isEqualTo("128");
        assertThat(text("cpu,cpuacct/mayfly/k3x9p-1/cpu.shares")).isEqualTo("1536");
        assertThat(Integer.parseInt(text("cpu,cpuacct/mayfly/cpu.shares")))
                .isEqualTo(1024 * Runtime.getRuntime().availableProcessors());
        assertThat(cgroups.procsFiles("k3x9p-1")).hasSize(4);
        assertThat(cgroups.killFile("k3x9p-1")).contains(sys.resolve("unified/mayfly/k3x9p-1/cgroup.kill"));
    }

    @Test
    void processesAreKilledAndWaitedFor() throws Exception {
        Process process = new ProcessBuilder("sleep", "60").start();
        Path group = Files.createDirectories(sys.resolve("fs/mayfly/k3x9p-1"));
        Path procs = group.resolve("cgroup.procs");
        Files.writeString(procs, process.pid() + "\n");
        var emptied = process.onExit().thenRun(() -> {
            try {
                Files.writeString(procs, "");
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });

        new VmCgroups(v2()).kill("k3x9p-1");

        assertThat(process.isAlive()).isFalse();
        emptied.get(5, java.util.concurrent.TimeUnit.SECONDS);
    }

    @Test
    void groupsOfAnotherInstallationOrHostOrOfKnownSlotsAreNotLeftOvers() throws Exception {
        for (String slot : List.of("k3x9p-1", "k3x9p-2", "other-3")) {
            Files.createDirectories(sys.resolve("fs/mayfly").resolve(slot));
        }
        VmCgroups cgroups = new VmCgroups(v2());
        int own = gid();
        assertThat(cgroups.leftOver("k3x9p", Set.of("k3x9p-2"), gid -> gid == own))
                .containsExactly("k3x9p-1");
        assertThat(cgroups.leftOver("k3x9p", Set.of(), gid -> gid != own)).isEmpty();
    }

    @Test
    void theFirstV2TreeAndEveryNeededControllerAreFoundAmongTheMounts() throws Exception {
        assertThat(v1().isV2()).isFalse();
        assertThat(v1().missing()).isEmpty();
        assertThat(v1().root("cpu")).isEqualTo(sys.resolve("cpu,cpuacct"));
        CgroupTrees half = CgroupTrees.parse(List.of("cgroup %s/memory cgroup rw,memory 0 0".formatted(sys), "x"));
        assertThat(half.missing()).containsExactly("cpu", "pids");
        assertThatThrownBy(() -> half.root("pids")).hasMessageContaining("pids");
        assertThat(CgroupTrees.parse(List.of()).missing()).containsExactly("memory", "cpu", "pids");
        Files.createDirectories(sys.resolve("fs"));
        Files.writeString(sys.resolve("fs/cgroup.controllers"), "cpu memory\n");
        assertThat(v2().missing()).containsExactly("pids");
    }
}
