package dev.mayfly.demo;

import java.nio.file.Path;
import java.util.Map;

/**
 * What a cluster is made of.
 *
 * @param root the checkout, whose {@code bin/} starts every server
 * @param work folder for everything the cluster writes
 * @param hosts number of hosts
 * @param driver {@code qemu} or {@code simulated}
 * @param cpus CPUs that each host states
 * @param memoryMib memory that each host states
 * @param twoPhase whether GitLab keeps a claimed job pending until it is committed
 * @param temporal the Temporal server's binary
 * @param image folder of the guest image
 * @param nativePrograms folder of the static binaries
 * @param apiPort port of REST API and webhook; 0 for a free one
 * @param temporalUiPort port of Temporal's UI; 0 for a free one
 * @param timeouts overrides of the control plane's {@code timeouts}, as in its configuration file
 * @param lease overrides of {@code agents.lease}
 */
record DemoOptions(
        Path root,
        Path work,
        int hosts,
        String driver,
        int cpus,
        int memoryMib,
        boolean twoPhase,
        Path temporal,
        Path image,
        Path nativePrograms,
        int apiPort,
        int temporalUiPort,
        Map<String, String> timeouts,
        Map<String, String> lease) {

    DemoOptions {
        timeouts = Map.copyOf(timeouts);
        lease = Map.copyOf(lease);
    }

    /** Two hosts of 8 vCPUs and 10 GiB each, real VMs; what bin/setup built is named by the environment. */
    static DemoOptions standard(Path work) {
        return new DemoOptions(
                setting("MAYFLY_ROOT"),
                work,
                2,
                "qemu",
                8,
                10240,
                true,
                setting("MAYFLY_TEMPORAL"),
                setting("MAYFLY_IMAGE"),
                setting("MAYFLY_NATIVE"),
                0,
                0,
                Map.of(),
                Map.of());
    }

    DemoOptions withHosts(int number) {
        return new DemoOptions(
                root,
                work,
                number,
                driver,
                cpus,
                memoryMib,
                twoPhase,
                temporal,
                image,
                nativePrograms,
                apiPort,
                temporalUiPort,
                timeouts,
                lease);
    }

    DemoOptions withDriver(String name) {
        return new DemoOptions(
                root,
                work,
                hosts,
                name,
                cpus,
                memoryMib,
                twoPhase,
                temporal,
                image,
                nativePrograms,
                apiPort,
                temporalUiPort,
                timeouts,
                lease);
    }

    DemoOptions withTwoPhase(boolean on) {
        return new DemoOptions(
                root,
                work,
                hosts,
                driver,
                cpus,
                memoryMib,
                on,
                temporal,
                image,
                nativePrograms,
                apiPort,
                temporalUiPort,
                timeouts,
                lease);
    }

    DemoOptions withCapacity(int cpuCount, int memory) {
        return new DemoOptions(
                root,
                work,
                hosts,
                driver,
                cpuCount,
                memory,
                twoPhase,
                temporal,
                image,
                nativePrograms,
                apiPort,
                temporalUiPort,
                timeouts,
                lease);
    }

    DemoOptions withPorts(int api, int temporalUi) {
        return new DemoOptions(
                root,
                work,
                hosts,
                driver,
                cpus,
                memoryMib,
                twoPhase,
                temporal,
                image,
                nativePrograms,
                api,
                temporalUi,
                timeouts,
                lease);
    }

    DemoOptions withTimes(Map<String, String> timeoutOverrides, Map<String, String> leaseOverrides) {
        return new DemoOptions(
                root,
                work,
                hosts,
                driver,
                cpus,
                memoryMib,
                twoPhase,
                temporal,
                image,
                nativePrograms,
                apiPort,
                temporalUiPort,
                timeoutOverrides,
                leaseOverrides);
    }

    private static Path setting(String variable) {
        String value = System.getenv(variable);
        if (value == null) {
            throw new IllegalStateException(
                    variable + " is not set; start by bin/demo or bin/test, or source target/setup.env");
        }
        return Path.of(value).toAbsolutePath();
    }
}
