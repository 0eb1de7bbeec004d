package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostIdentityTest {

    @TempDir
    Path stateDir;

    private static LeaseReply lease(long epoch) {
        return new LeaseReply(
                "k3x9p",
                epoch,
                Duration.ofSeconds(10),
                Duration.ofSeconds(90),
                false,
                List.of(new GitLabInstance("gl", "https://gl", "PEM", List.of("r:443"))));
    }

    @Test
    void aMadeUpNameIsKept() throws Exception {
        String name = new HostIdentity(stateDir, null).hostId();
        assertThat(name).matches("host-[0-9a-f]{12}");
        assertThat(new HostIdentity(stateDir, null).hostId()).isEqualTo(name);
    }

    @Test
    void aStateFolderIsOneHostsAlone() throws Exception {
        assertThat(new HostIdentity(stateDir, "host-1").hostId()).isEqualTo("host-1");
        assertThat(new HostIdentity(stateDir, null).hostId()).isEqualTo("host-1");
        assertThatThrownBy(() -> new HostIdentity(stateDir, "host-2"))
                .hasMessageContaining("this state folder is host-1's and agent.yml says hostId host-2")
                .hasMessageContaining("another stateDir");
    }

    @Test
    void whatTheControlPlaneSaidIsKnownAfterARestart() throws Exception {
        HostIdentity first = new HostIdentity(stateDir, "host-1");
        assertThat(first.epoch()).isZero();
        first.learn(lease(3));
        first.learn(lease(4));

        HostIdentity next = new HostIdentity(stateDir, "host-1");
        assertThat(next.lease()).contains(lease(4));
        assertThat(next.epoch()).isEqualTo(4);
        assertThat(HostIdentity.keptLease(stateDir)).contains(lease(4));
    }

    @Test
    void aDamagedLeaseIsNamedWithItsCure() throws Exception {
        new HostIdentity(stateDir, "host-1").learn(lease(3));
        Files.writeString(stateDir.resolve("lease.json"), "{\"installation\":");
        assertThatThrownBy(() -> new HostIdentity(stateDir, "host-1"))
                .hasMessageContaining("lease.json is damaged")
                .hasMessageContaining("delete it if no VM of this host runs");
    }
}
