package dev.mayfly.api.start;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.HostState;
import dev.mayfly.activities.capacity.HostView;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LargestHostsTest {

    private static HostView host(String id, HostState state, int cpus, int memoryGib) {
        return new HostView(
                id,
                state,
                1,
                "x86_64",
                "simulated",
                "1",
                new Capacity(cpus * 1000, memoryGib * 1024, 100_000),
                new Capacity(0, 0, 0),
                Instant.EPOCH,
                Instant.EPOCH,
                List.of());
    }

    private static VmSize size(int cpus, int memoryGib) {
        return new VmSize(cpus * 1000, memoryGib * 1024, 8192);
    }

    private static final List<HostView> FLEET = List.of(
            host("cpus", HostState.READY, 16, 9),
            host("memory", HostState.READY, 4, 66),
            host("small", HostState.READY, 2, 4));

    @Test
    void aJobMustFitOneHostAndNotTheBestOfSeveral() {
        assertThat(LargestHosts.refusal(size(16, 64), FLEET)).isPresent();
        assertThat(LargestHosts.refusal(size(16, 8), FLEET)).isEmpty();
        assertThat(LargestHosts.refusal(size(4, 64), FLEET)).isEmpty();
    }

    @Test
    void theReasonSaysWhatIsAskedForAndNamesTheNearestHostsFirst() {
        assertThat(LargestHosts.refusal(size(8, 16), FLEET))
                .hasValueSatisfying(reason -> assertThat(reason)
                        .isEqualTo(
                                "it asks for 8c/16g, whose VM takes 8 CPUs, 16792 MiB of memory, 8192 MiB of disk, and no single host offers so much; "
                                        + "nearest: cpus (16 CPUs, 9216 MiB of memory, 100000 MiB of disk), "
                                        + "memory (4 CPUs, 67584 MiB of memory, 100000 MiB of disk), "
                                        + "small (2 CPUs, 4096 MiB of memory, 100000 MiB of disk); ask for less"));
    }

    @Test
    void whatTheVmItselfTakesOfTheHostsMemoryCounts() {
        assertThat(LargestHosts.refusal(new VmSize(1000, 9216, 1), FLEET.subList(0, 1)))
                .hasValueSatisfying(reason -> assertThat(reason).contains("9510 MiB", "9216 MiB"));
    }

    @Test
    void diskCountsToo() {
        assertThat(LargestHosts.refusal(new VmSize(1000, 1024, 100_001), FLEET)).isPresent();
    }

    @Test
    void aLostHostMayComeBack() {
        assertThat(LargestHosts.refusal(size(16, 8), List.of(host("away", HostState.LOST, 16, 9))))
                .isEmpty();
    }

    @Test
    void withoutAnyHostNothingIsRefused() {
        assertThat(LargestHosts.refusal(size(64, 512), List.of())).isEmpty();
    }
}
