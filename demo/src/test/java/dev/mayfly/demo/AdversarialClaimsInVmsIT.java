package dev.mayfly.demo;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** As {@link AdversarialClaimsIT} with a dozen jobs in real VMs, each of which looks at the machine that it finds itself in. */
@Tag(SystemTests.LONG)
final class AdversarialClaimsInVmsIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final int EACH = 4;
    private static final Map<String, Long> MILLI_CPUS = Map.of("small", 500L, "middle", 1000L, "large", 2000L);
    private static final String PIPELINE = """
            .look: &look
              - mib=$(awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
              - echo "$(nproc) vCPUs, $mib MiB"
              - test "$(nproc)" = "$CPUS" && test "$mib" -ge $((MIB * 99 / 100)) && test "$mib" -le $((MIB * 104 / 100))
            small:
              parallel: 4
              tags: [actuated-0.5cpu-768mb, shell]
              variables: {CPUS: "1", MIB: "768"}
              script: *look
            middle:
              parallel: 4
              tags: [actuated-1cpu-1gb, shell]
              variables: {CPUS: "1", MIB: "1024"}
              script: *look
            large:
              parallel: 4
              tags: [actuated-2cpu-1536mb, shell]
              variables: {CPUS: "2", MIB: "1536"}
              script: *look
            """;

    @AfterEach
    void handOutAsGitLabDoes() {
        GitLabFaults.in(CLUSTER.cluster()).none();
    }

    @Test
    void eachOfTwelveJobsFindsItselfInAMachineOfItsOwnSize() {
        GitLabFaults.in(CLUSTER.cluster()).crossClaims();
        PipelineRun run = CLUSTER.push(PIPELINE);
        run.awaitEnd(Duration.ofMinutes(8), () -> {});

        new CrossedClaims(CLUSTER.cluster(), run, MILLI_CPUS)
                .eachRanOnceInItsOwnSizeInAVmOfItsOwn(3 * EACH)
                .moreThanWereHandedToAVmMadeForAnother(EACH);
    }
}
