package dev.mayfly.demo;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** kill -9 of the agent while a big artifact comes down, away for 15 s: the job ends once, green. */
@Tag(SystemTests.LONG)
final class AgentKilledWhileDownloadingIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void theTransferIsFinishedAfterwards() {
        BigArtifact.push(CLUSTER).losesTheAgentWhile("test", "downloads", "Downloading artifacts");
    }
}
