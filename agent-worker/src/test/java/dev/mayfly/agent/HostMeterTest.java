package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.agent.vm.HostUnfitException;
import dev.mayfly.agent.vm.VmSpec;
import dev.mayfly.workflows.agentapi.AgentApi.HostFigures;
import dev.mayfly.workflows.job.VmSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an agent tells of its machine and of how VMs start there. */
final class HostMeterTest {

    private static final VmSpec VM = new VmSpec("k3x9p-1", 1, VmSize.of(1000, 512, 64), 0, "0123456789abcdef", null);

    @TempDir
    Path folder;

    private final HostRig.TestClock clock = new HostRig.TestClock();
    private final FakeDriver driver = new FakeDriver();

    private HostMeter meter() {
        return new HostMeter(new HostFacts(folder, ""), folder, clock);
    }

    private static HostFigures figures(HostMeter meter) {
        return Objects.requireNonNull(meter.figures());
    }

    private void memory(String lines) throws IOException {
        Files.createDirectories(folder.resolve("proc"));
        Files.writeString(folder.resolve("proc/meminfo"), lines);
    }

    @Test
    void aVmThatAnswersCountsWithItsTime() throws Exception {
        memory("MemTotal: 9 kB\nMemAvailable:   3 kB\n");
        HostMeter meter = meter();
        meter.count(driver::start, VM);
        clock.pass(Duration.ofMillis(1500));
        assertThat(figures(meter).vmStarts()).isEqualTo(1);
        assertThat(figures(meter).vmsAnswered()).isZero();

        Objects.requireNonNull(driver.vms.get(VM.slotId())).answers.complete(null);

        assertThat(figures(meter).vmsAnswered()).isEqualTo(1);
        assertThat(figures(meter).vmAnswerSeconds()).isEqualTo(1.5);
        assertThat(figures(meter).vmStartsFailed()).isZero();
    }

    @Test
    void whatCouldNotBeStartedCountsAsFailed() throws IOException {
        memory("MemAvailable: 3 kB\n");
        HostMeter meter = meter();
        driver.unfit = "no KVM";
        assertThatThrownBy(() -> meter.count(driver::start, VM)).isInstanceOf(HostUnfitException.class);
        driver.startFails = new IOException("no space left");
        assertThatThrownBy(() -> meter.count(driver::start, VM)).isInstanceOf(IOException.class);

        assertThat(figures(meter).vmStarts()).isEqualTo(2);
        assertThat(figures(meter).vmStartsFailed()).isEqualTo(2);
    }

    @Test
    void theMachineTellsWhatItHasLeft() throws IOException {
        memory("MemTotal: 9 kB\nMemAvailable:   3 kB\n");
        HostFigures figures = figures(meter());

        assertThat(figures.memoryAvailableBytes()).isEqualTo(3 * 1024);
        assertThat(figures.diskFreeBytes())
                .isBetween(1L, Files.getFileStore(folder).getTotalSpace());
        assertThat(figures.loadAverage()).isNotNegative();
    }

    @Test
    void aMachineThatDoesNotTellEndsNoLease() {
        assertThat(meter().figures()).isNull();
    }
}
