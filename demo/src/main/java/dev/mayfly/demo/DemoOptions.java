package dev.mayfly.demo;

import java.nio.file.Path;
import java.util.Map;

/**
 * What a cluster is made of.
 *
 * @param work folder for everything the cluster writes
 * @param hosts number of hosts, 8 vCPUs and 10 GiB stated each
 * @param driver {@code qemu} or {@code simulated}
 * @param templates how many templates of VMs each host may keep, 0 for none
 * @param together whether all hosts' agents are one process on the control plane's machine: for many hosts, whose VMs
 *     are played
 * @param twoPhase whether GitLab keeps a claimed job pending until it is committed
 * @param apiPort port of REST API and webhook; 0 for a free one
 * @param temporalUiPort port of Temporal's UI; 0 for the usual one
 * @param times overrides of the usual times
 */
public record DemoOptions(
        Path work,
        int hosts,
        String driver,
        int templates,
        boolean together,
        boolean twoPhase,
        int apiPort,
        int temporalUiPort,
        Times times) {

    /**
     * Overrides of times, each as in the configuration files; empty for the usual ones.
     *
     * @param timeouts the control plane's {@code timeouts}
     * @param lease its {@code agents.lease}
     * @param sweeper its {@code sweeper}
     * @param agent the agents' {@code timeouts}
     * @param simulated the agents' {@code simulated}
     */
    public record Times(
            Map<String, String> timeouts,
            Map<String, String> lease,
            Map<String, String> sweeper,
            Map<String, String> agent,
            Map<String, String> simulated) {

        public static Times usual() {
            return new Times(Map.of(), Map.of(), Map.of(), Map.of(), Map.of());
        }
    }

    /** Whether jobs run in VMs; else they are played, and pull no images. */
    boolean hasVms() {
        return !driver.equals("simulated");
    }

    /** The checkout. */
    Path root() {
        return setting("MAYFLY_ROOT");
    }

    /** The command of the checkout's {@code bin/} that starts this server. */
    String program(String name) {
        return root().resolve("bin").resolve(name).toString();
    }

    /** The Temporal server's binary. */
    Path temporal() {
        return setting("MAYFLY_TEMPORAL");
    }

    /** Folder of the guest image. */
    public Path image() {
        return setting("MAYFLY_IMAGE");
    }

    /** Folder of the static binaries. */
    Path nativePrograms() {
        return setting("MAYFLY_NATIVE");
    }

    /** Folder of the container images that jobs pull, and of the registry's program. */
    Path containerImages() {
        return setting("MAYFLY_CONTAINER_IMAGES");
    }

    /** What bin/setup built is named by the environment. */
    private static Path setting(String variable) {
        String value = System.getenv(variable);
        if (value == null) {
            throw new IllegalStateException(
                    variable + " is not set; start by bin/demo or bin/test, or source target/setup.env");
        }
        return Path.of(value).toAbsolutePath();
    }
}
