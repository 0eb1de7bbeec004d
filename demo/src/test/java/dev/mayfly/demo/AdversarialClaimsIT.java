package dev.mayfly.demo;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Sixty jobs of three sizes, more than there is room for, and a GitLab that hands each VM any job that fits before the one
 * that it was made for. Each job runs once, in its own size, in a VM of its own, and none is lost. That nothing is left,
 * and that the ledger is even, is looked at after every test.
 */
final class AdversarialClaimsIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    private static final int EACH = 20;
    private static final Map<String, Long> MILLI_CPUS = Map.of("small", 500L, "middle", 1000L, "large", 2000L);
    private static final String PIPELINE = """
            small:
              parallel: 20
              tags: [actuated-0.5cpu-512mb, shell]
              variables: {SIMULATE_SECONDS: "1"}
              script: [echo played]
            middle:
              parallel: 20
              tags: [actuated-1cpu-1gb, shell]
              variables: {SIMULATE_SECONDS: "1"}
              script: [echo played]
            large:
              parallel: 20
              tags: [actuated-2cpu-2gb, shell]
              variables: {SIMULATE_SECONDS: "1"}
              script: [echo played]
            """;

    @AfterEach
    void handOutAsGitLabDoes() {
        GitLabFaults.in(CLUSTER.cluster()).none();
    }

    @Test
    void eachOfSixtyJobsRunsOnceInItsOwnSizeInAVmOfItsOwn() {
        GitLabFaults.in(CLUSTER.cluster()).crossClaims();
        PipelineRun run = CLUSTER.push(PIPELINE);
        run.awaitEnd(Duration.ofMinutes(4), () -> {});

        new CrossedClaims(CLUSTER.cluster(), run, MILLI_CPUS)
                .eachRanOnceInItsOwnSizeInAVmOfItsOwn(3 * EACH)
                .moreThanWereHandedToAVmMadeForAnother(EACH);
    }
}
