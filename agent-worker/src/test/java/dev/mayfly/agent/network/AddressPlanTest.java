package dev.mayfly.agent.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class AddressPlanTest {

    @Property(tries = 100)
    void noTwoVmsShareAnAddressOrUserIdAndAllLieInThePool(@ForAll @IntRange(min = 18, max = 29) int bits) {
        AddressPlan plan = new AddressPlan("192.168.64.0/" + bits, 200_000, 1 << 20);
        Set<Object> seen = new HashSet<>();
        for (int index = 0; index < plan.size(); index++) {
            assertThat(seen.add(plan.hostEnd(index))).isTrue();
            assertThat(seen.add(plan.vmEnd(index).getHostAddress())).isTrue();
            assertThat(seen.add(plan.uid(index))).isTrue();
            assertThat(plan.contains(plan.hostEnd(index))).isTrue();
            assertThat(plan.contains(plan.vmEnd(index).getHostAddress())).isTrue();
            assertThat(plan.ownsUid(plan.uid(index))).isTrue();
        }
        assertThat(plan.size()).isEqualTo(1 << (30 - bits));
    }

    @Test
    void theFirstVmHasTheFirstNetwork() {
        AddressPlan plan = new AddressPlan("10.200.0.0/16", 200_000, 16_384);
        assertThat(plan.hostEnd(0)).isEqualTo("10.200.0.1");
        assertThat(plan.vmEnd(64).getHostAddress()).isEqualTo("10.200.1.2");
        assertThat(plan.uid(64)).isEqualTo(200_064);
    }

    @Test
    void thereAreAsManyVmsAsTheScarcerOfAddressesAndUserIdsAllows() {
        assertThat(new AddressPlan("10.0.0.0/28", 1000, 100).size()).isEqualTo(4);
        assertThat(new AddressPlan("10.0.0.0/16", 1000, 3).size()).isEqualTo(2);
        AddressPlan three = new AddressPlan("10.0.0.0/16", 1000, 3);
        assertThat(three.registryUid()).as("no VM's").isEqualTo(1002);
        assertThat(three.ownsUid(1002)).isTrue();
        assertThat(three.ownsUid(1003)).as("of the next agent's range").isFalse();
        assertThatThrownBy(() -> three.hostEnd(3)).hasMessageContaining("outside the address plan of 2 VMs");
    }

    @Test
    void networksOverlapIfOneHoldsTheOther() {
        assertThat(overlap("10.200.0.0/16", "10.200.128.0/20")).isTrue();
        assertThat(overlap("10.200.128.0/20", "10.200.0.0/16")).isTrue();
        assertThat(overlap("10.200.0.0/17", "10.200.128.0/17")).isFalse();
        assertThat(overlap("200.0.0.0/8", "10.0.0.0/8")).isFalse();
        assertThat(overlap("10.200.0.7", "10.200.0.0/16")).isTrue();
        assertThat(overlap("0.0.0.0/0", "10.200.0.0/16")).isTrue();
    }

    private static boolean overlap(String one, String other) {
        return Ipv4Network.parse(one).overlaps(Ipv4Network.parse(other));
    }

    @Test
    void aPoolThatIsNoneIsRefusedWithAnExample() {
        for (String bad :
                new String[] {"", "10.200.0.0", "10.200.0.0/33", "10.300.0.0/16", "10.200.0.1/16", "fd00::/8"}) {
            assertThatThrownBy(() -> new AddressPlan(bad, 1000, 1))
                    .as(bad)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("such as 10.200.0.0/16");
        }
    }
}
