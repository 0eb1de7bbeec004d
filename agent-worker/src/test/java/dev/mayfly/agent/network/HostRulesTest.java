package dev.mayfly.agent.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.network.HostRules.Endpoint;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostRulesTest {

    private final HostRules rules =
            new HostRules("k3x9p", new AddressPlan("10.200.0.0/16", 200_000, 16_384), new HostPorts(8169, 0));

    private static List<String> chain(String text, String name) {
        String body = text.substring(text.indexOf("chain " + name + " {"));
        return body.substring(0, body.indexOf("\n  }"))
                .lines()
                .skip(1)
                .map(String::strip)
                .toList();
    }

    @Test
    void whatGuestsMayReachComesFirstThenOtherGuestsAndPrivateNetworksAreClosedThenTheWorldIsOpen() {
        String text = rules.text(List.of(new Endpoint("10.1.2.3", 443)), List.of("192.0.2.53"));
        assertThat(chain(text, "guest_out"))
                .containsExactly(
                        "ct state established,related accept",
                        "ip daddr . tcp dport @allowed accept",
                        "ip daddr @resolvers meta l4proto { tcp, udp } th dport 53 accept",
                        "oifname \"mfk3x9p-*\" drop",
                        "ip daddr @closed drop",
                        "accept");
        assertThat(text)
                .contains("set allowed { type ipv4_addr . inet_service; elements = { 10.1.2.3 . 443 } }")
                .contains("set resolvers { type ipv4_addr; elements = { 192.0.2.53 } }");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0/8",
                "10.0.0.0/8",
                "100.64.0.0/10",
                "127.0.0.0/8",
                "169.254.0.0/16",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "198.18.0.0/15",
                "224.0.0.0/3"
            })
    void specialNetworksAreClosed(String network) {
        String text = rules.text(List.of(), List.of());
        assertThat(text.lines()
                        .filter(line -> line.contains("set closed"))
                        .findFirst()
                        .orElseThrow())
                .contains(network);
    }

    @Test
    void ofTheHostItselfAGuestReachesTheRelayAlone() {
        assertThat(chain(rules.text(List.of(), List.of()), "inward"))
                .containsExactly(
                        "type filter hook input priority filter; policy accept;",
                        "iifname \"mfk3x9p-*\" ip saddr 10.200.0.0/16 tcp dport 8169 accept",
                        "iifname \"mfk3x9p-*\" ip saddr 10.200.0.0/16 ct state established,related accept",
                        "iifname \"mfk3x9p-*\" ip saddr 10.200.0.0/16 drop",
                        "iifname != \"lo\" iifname != \"mf*\" tcp dport 8169 drop");
    }

    @Test
    void aRegistryIsReachedAsTheRelayIs() {
        HostPorts both = new HostPorts(8169, 8170);
        String text = new HostRules("k3x9p", new AddressPlan("10.200.0.0/16", 200_000, 16_384), both)
                .text(List.of(), List.of());
        assertThat(chain(text, "inward"))
                .contains(
                        "iifname \"mfk3x9p-*\" ip saddr 10.200.0.0/16 tcp dport { 8169, 8170 } accept",
                        "iifname != \"lo\" iifname != \"mf*\" tcp dport { 8169, 8170 } drop");
    }

    @Test
    void nobodyOpensAConnectionToAGuest() {
        assertThat(chain(rules.text(List.of(), List.of()), "through"))
                .containsSubsequence(
                        "oifname \"mfk3x9p-*\" ip daddr 10.200.0.0/16 ct state established,related accept",
                        "oifname \"mfk3x9p-*\" ip daddr 10.200.0.0/16 drop");
    }

    @Test
    void eachAgentOfAMachineHasATableOfItsOwn() {
        HostRules other =
                new HostRules("k3x9p", new AddressPlan("10.201.0.0/16", 300_000, 100), new HostPorts(8169, 8170));
        assertThat(rules.table()).isEqualTo("mayfly_k3x9p_200000").isNotEqualTo(other.table());
        assertThat(rules.text(List.of(), List.of())).startsWith(rules.removal()).doesNotContain(other.table());
    }

    @Test
    void theSameWishInAnotherOrderIsTheSameText() {
        List<Endpoint> one = List.of(new Endpoint("10.1.2.3", 443), new Endpoint("10.1.2.4", 80));
        List<Endpoint> other = List.of(one.get(1), one.get(0), one.get(1));
        assertThat(rules.text(one, List.of("192.0.2.1", "192.0.2.2")))
                .isEqualTo(rules.text(other, List.of("192.0.2.2", "192.0.2.1", "192.0.2.2")));
    }

    @Test
    void nftTakesTheText() throws Exception {
        for (String text : List.of(
                rules.text(List.of(), List.of()),
                new HostRules("k3x9p", new AddressPlan("10.200.0.0/16", 200_000, 16_384), new HostPorts(1, 2))
                        .text(List.of(), List.of()),
                VmRules.text(new AddressPlan("10.200.0.0/16", 200_000, 16_384), 3, new HostPorts(8169, 0)),
                VmRules.text(new AddressPlan("10.200.0.0/16", 200_000, 16_384), 3, new HostPorts(8169, 8170)),
                rules.text(
                        List.of(new Endpoint("10.1.2.3", 443), new Endpoint("10.1.2.3", 22)),
                        List.of("192.0.2.53", "10.1.1.1")))) {
            assertThat(checked(text)).isEmpty();
        }
        assertThat(checked("table ip x { chain y { frobnicate } }"))
                .as("it does look")
                .isNotEmpty();
    }

    private static String checked(String text) throws IOException {
        Process nft = new ProcessBuilder("nft", "--check", "-f", "-")
                .redirectErrorStream(true)
                .start();
        nft.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        nft.getOutputStream().close();
        return new String(nft.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void allowedAreEachInstancesGitLabWhatItAddsAndWhatTheHostAdds() {
        List<GitLabInstance> instances = List.of(
                new GitLabInstance("a", "https://gl.example.com", null, List.of("registry.example.com:5050")),
                new GitLabInstance("b", "http://10.1.2.3:8080/gitlab", null, List.of()),
                new GitLabInstance("c", "http://plain", null, List.of()));
        assertThat(AllowedEndpoints.of(instances, List.of("mirror:443")))
                .containsExactlyInAnyOrder(
                        "mirror:443", "gl.example.com:443", "registry.example.com:5050", "10.1.2.3:8080", "plain:80");
    }

    @Test
    void anEndpointIsHostAndPort() {
        assertThat(AllowedEndpoints.isEndpoint("a.b:1")).isTrue();
        for (String bad : List.of("a.b", "a.b:", ":1", "a b:1", "a:99999", "https://a:1")) {
            assertThat(AllowedEndpoints.isEndpoint(bad)).as(bad).isFalse();
        }
    }
}
