package dev.mayfly.api.start;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.HostOffer;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LargestHostsTest {

    private static HostOffer host(String id, int cpus, int memoryGib) {
        return new HostOffer(id, Arch.X86_64, new Capacity(cpus * 1000, memoryGib * 1024, 100_000));
    }

    private static VmSize size(int cpus, int memoryGib) {
        return VmSize.of(cpus * 1000, memoryGib * 1024, 8192);
    }

    private static final List<HostOffer> FLEET =
            List.of(host("cpus", 16, 9), host("memory", 4, 66), host("small", 2, 4));

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
        assertThat(LargestHosts.refusal(VmSize.of(1000, 9216, 1), FLEET.subList(0, 1)))
                .hasValueSatisfying(reason -> assertThat(reason).contains("9510 MiB", "9216 MiB"));
    }

    @Test
    void diskCountsToo() {
        assertThat(LargestHosts.refusal(VmSize.of(1000, 1024, 100_001), FLEET)).isPresent();
    }

    @Test
    void anArchitectureThatNoHostHasIsRefusedAndTheOthersAreNamed() {
        var arm = new VmSize(Arch.ARM64, 1000, 1024, 8192);
        assertThat(LargestHosts.refusal(arm, FLEET))
                .hasValue(
                        "it asks for arm64, and no host of this installation is arm64; ask for x86_64 or add such a host");
    }

    @Test
    void onlyHostsOfItsArchitectureCount() {
        var small = new HostOffer("arm", Arch.ARM64, new Capacity(2000, 4096, 100_000));
        List<HostOffer> both = List.of(host("large", 16, 64), small);
        assertThat(LargestHosts.refusal(new VmSize(Arch.ARM64, 1000, 1024, 8192), both))
                .isEmpty();
        assertThat(LargestHosts.refusal(new VmSize(Arch.ARM64, 4000, 1024, 8192), both))
                .hasValueSatisfying(reason -> assertThat(reason)
                        .contains("4c/1g/arm64", "arm (2 CPUs")
                        .doesNotContain("large"));
    }

    @Test
    void withoutAnyHostNothingIsRefused() {
        assertThat(LargestHosts.refusal(size(64, 512), List.of())).isEmpty();
    }
}
