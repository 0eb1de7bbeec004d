package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A queue of 2,000 jobs behind full hosts, cancelled at once: the queue is empty soon, and those that ran ran on. */
@Tag(SystemTests.LONG)
final class QueueCancelledAtOnceIT {

    private static final int STAGE = 200;
    private static final int NAMES = 10;

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void allLeaveTheQueue() {
        PipelineRun filling = CLUSTER.push(Played.filling(600));
        filling.awaitAll("running", Duration.ofMinutes(2));
        PipelineRun many = CLUSTER.push(IntStream.range(0, NAMES)
                .mapToObj(name -> """
                        many-%d:
                          parallel: %d
                          tags: [actuated-4cpu-4gb, shell]
                          script: [echo played]
                        """.formatted(name, STAGE))
                .collect(Collectors.joining()));
        awaitQueue(STAGE * NAMES, Duration.ofMinutes(10));

        many.cancelAll();

        awaitQueue(0, Duration.ofMinutes(10)); // each ends in a workflow of its own
        assertThat(filling.jobs()).allSatisfy(job -> assertThat(job.status()).isEqualTo("running"));
        filling.cancelAll();
    }

    private static void awaitQueue(int waiting, Duration patience) {
        Waiting.until(
                waiting + " jobs wait",
                patience,
                () -> Database.count(CLUSTER.cluster(), "SELECT count(*) FROM queue WHERE waiting") == waiting);
    }
}
