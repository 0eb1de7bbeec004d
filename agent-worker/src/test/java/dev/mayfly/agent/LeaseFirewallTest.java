package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.HostPorts;
import dev.mayfly.agent.network.HostRules;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.HostUnfitException;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With this machine's nft, in a table of the test's own. */
class LeaseFirewallTest {

    private final Commands commands = new Commands(Duration.ofSeconds(20));
    private final AddressPlan plan = new AddressPlan("10.231.6.0/24", 291_200, 50);
    private final LeaseFirewall firewall =
            new LeaseFirewall(commands, plan, new HostPorts(8169, 0), List.of("192.0.2.53"), List.of("10.9.8.7:443"));

    @BeforeEach
    void asRoot() throws IOException {
        assumeThat(Files.getAttribute(Path.of("/proc/self"), "unix:uid")).isEqualTo(0);
    }

    @AfterEach
    void clean() throws IOException {
        commands.runWithInput(List.of("nft", "-f", "-"), new HostRules("zzt7q", plan, new HostPorts(1, 0)).removal());
    }

    private static LeaseReply lease(String installation, List<GitLabInstance> instances) {
        return new LeaseReply(installation, 1, Duration.ofSeconds(10), Duration.ofSeconds(90), false, instances);
    }

    private String table() throws IOException {
        return commands.run("nft", "list", "table", "ip", "mayfly_zzt7q_291200");
    }

    @Test
    void noVmStartsBeforeTheRulesStand() throws Exception {
        assertThatThrownBy(firewall::check)
                .isInstanceOf(HostUnfitException.class)
                .hasMessageContaining("the control plane has not said yet");

        firewall.accept(lease("zzt7q", List.of(new GitLabInstance("gl", "https://10.1.2.3", null, List.of()))));

        firewall.check();
        assertThat(table())
                .contains("10.1.2.3 . 443")
                .contains("10.9.8.7 . 443")
                .contains("192.0.2.53");
    }

    @Test
    void rulesThatCantBeSetKeepTheGateShutAndSayWhy() {
        firewall.accept(lease("bad id", List.of()));
        assertThatThrownBy(firewall::check)
                .isInstanceOf(HostUnfitException.class)
                .hasMessageContaining("nft");
    }

    @Test
    void whatIsNoEndpointIsLeftOutAndTheRestStands() throws Exception {
        firewall.accept(lease(
                "zzt7q",
                List.of(new GitLabInstance("gl", "https://10.1.2.3", null, List.of("registry", "10.4.4.4:5050")))));
        firewall.check();
        assertThat(table()).contains("10.4.4.4 . 5050").doesNotContain("registry");
    }

    @Test
    void aChangeThatFailsLeavesWhatStands() throws Exception {
        firewall.accept(lease("zzt7q", List.of()));
        firewall.accept(lease("zzt7q", List.of(new GitLabInstance("gl", "https://bad host", null, List.of()))));
        firewall.check();
        assertThat(table()).contains("10.9.8.7 . 443");
    }

    @Test
    void aNameThatDoesNotResolveAfterARestartKeepsTheRulesOfTheAgentBefore() throws Exception {
        firewall.accept(lease("zzt7q", List.of(new GitLabInstance("gl", "https://10.1.2.3", null, List.of()))));

        LeaseFirewall next = new LeaseFirewall(commands, plan, new HostPorts(8169, 0), List.of(), List.of());
        next.accept(lease("zzt7q", List.of(new GitLabInstance("gl", "https://gitlab.invalid", null, List.of()))));

        next.check();
        assertThat(table()).contains("10.1.2.3 . 443");
    }
}
