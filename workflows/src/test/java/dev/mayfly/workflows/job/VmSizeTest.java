package dev.mayfly.workflows.job;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VmSizeTest {

    @ParameterizedTest
    @CsvSource({"256, 308, 408", "1024, 1088, 1188", "2016, 2096, 2196", "65536, 66624, 66724"})
    void aVmTakesMoreOfItsHostThanItsJobSees(int memoryMib, int ramMib, int hostMemoryMib) {
        VmSize size = VmSize.of(1000, memoryMib, 1);

        assertThat(size.ramMib()).isEqualTo(ramMib);
        assertThat(size.hostMemoryMib()).isEqualTo(hostMemoryMib);
    }
}
