package dev.mayfly.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Hosts by name and number, and absences of a stated length. */
final class Hosts {

    private Hosts() {}

    /** 2 for {@code host-2}. */
    static int number(String hostId) {
        return Integer.parseInt(hostId.substring(hostId.lastIndexOf('-') + 1));
    }

    /** How the control plane shows it. */
    static JsonNode shown(DemoCluster cluster, int host) {
        return cluster.controlPlane().get("/api/v1/hosts/host-" + host);
    }

    static void drain(DemoCluster cluster, int host) {
        order(cluster, host, "drain");
    }

    static void undrain(DemoCluster cluster, int host) {
        order(cluster, host, "undrain");
    }

    private static void order(DemoCluster cluster, int host, String order) {
        cluster.controlPlane().post("/api/v1/hosts/host-%d/%s".formatted(host, order), Map.of());
    }

    /** The address of the host's end of a VM's cable. */
    static String cableOf(DemoCluster cluster, int host, String slotId) {
        String address = Shell.run(
                "ip",
                "-n",
                cluster.network().namespace("h" + host),
                "-o",
                "-4",
                "address",
                "show",
                "dev",
                "mf" + slotId);
        Matcher found = Pattern.compile("inet ([0-9.]+)/").matcher(address);
        if (!found.find()) {
            throw new AssertionError("no address of " + slotId + "'s cable in " + address);
        }
        return found.group(1);
    }

    /** Whether something on the host itself can connect to {@code address/port}. */
    static boolean reaches(DemoCluster cluster, int host, String target) {
        List<String> connect = List.of("timeout", "3", "bash", "-c", "exec 3<>/dev/tcp/" + target);
        return Shell.tryRun(DemoNetwork.inside(cluster.network().namespace("h" + host), connect))
                        .exitCode()
                == 0;
    }

    /** The length of an absence is what such a test is about; nothing is waited for by it. */
    static void stayAway(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
