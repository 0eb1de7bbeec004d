package dev.mayfly.demo;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One private bridge, and a network namespace on it for each machine of the demonstration. The control plane stands on
 * the bridge's own address. Everything made here carries this network's name and goes with {@link #close()}.
 */
public final class DemoNetwork implements AutoCloseable {

    private static final int CONTROL_PLANE = 1;
    private static final int CLUSTERS = 90;
    private static final int FIRST_UID = 300_000;
    private static final int UIDS_OF_A_HOST = 1000;

    private final int number;
    private final String name;
    private final List<String> namespaces = new ArrayList<>();
    /** By machine, the bridge's end. */
    private final Map<String, String> cables = new LinkedHashMap<>();

    private DemoNetwork(int number) {
        this.number = number;
        this.name = "mfd%02d".formatted(number);
    }

    /** A bridge under the first free number; making it is what claims the number, so clusters can stand side by side. */
    static DemoNetwork create() {
        String routes = Shell.run("ip", "-4", "route");
        for (int number = 0; number < CLUSTERS; number++) {
            DemoNetwork network = new DemoNetwork(number);
            if (!routes.contains(network.subnet() + ".")
                    && Shell.tryRun(List.of("ip", "link", "add", network.name, "type", "bridge"))
                                    .exitCode()
                            == 0) {
                Shell.run("ip", "addr", "add", network.controlPlane() + "/24", "dev", network.name);
                Shell.run("ip", "link", "set", network.name, "up");
                return network;
            }
        }
        throw new IllegalStateException("no free network: either bridges can't be made here (are you root?), or"
                + " mfd00 to mfd89 are all there; remove those that no demo uses");
    }

    /** This demonstration's name, five characters; prefixes what it makes on the machine. */
    String name() {
        return name;
    }

    /** A folder in memory for the agents' secrets. */
    Path runFolder() {
        return Path.of("/run", "mayfly-demo-" + name);
    }

    String controlPlane() {
        return address(CONTROL_PLANE);
    }

    public String address(int machine) {
        return subnet() + "." + machine;
    }

    private String subnet() {
        return "10.80." + number;
    }

    /** Addresses of a host's VMs; no other host on this machine has them. */
    String addressPool(int host) {
        return "10.%d.%d.0/20".formatted(100 + number, host * 16);
    }

    /** User ids of a host's VMs; no other host on this machine has them. */
    String uidRange(int host) {
        int first = FIRST_UID + (number * 16 + host) * UIDS_OF_A_HOST;
        return "%d-%d".formatted(first, first + UIDS_OF_A_HOST - 1);
    }

    public String namespace(String machine) {
        return name + "-" + machine;
    }

    /** Puts a machine on the bridge: a namespace with this address, its loopback, and a route to the control plane. */
    public String addMachine(String machine, int number) {
        String namespace = namespace(machine);
        String outside = name + "v" + number;
        Shell.run("ip", "netns", "add", namespace);
        namespaces.add(namespace);
        Shell.run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", namespace);
        cables.put(machine, outside);
        Shell.run("ip", "link", "set", outside, "master", name, "up");
        Shell.run("ip", "-n", namespace, "link", "set", "lo", "up");
        Shell.run("ip", "-n", namespace, "addr", "add", address(number) + "/24", "dev", "eth0");
        Shell.run("ip", "-n", namespace, "link", "set", "eth0", "up");
        Shell.run("ip", "-n", namespace, "route", "add", "default", "via", controlPlane());
        Shell.run(inside(namespace, List.of("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")));
        return namespace;
    }

    /** Nothing reaches the machine or leaves it until it is plugged in again. */
    void unplug(String machine) {
        Shell.run("ip", "link", "set", Objects.requireNonNull(cables.get(machine), machine), "down");
    }

    void plug(String machine) {
        Shell.run("ip", "link", "set", Objects.requireNonNull(cables.get(machine), machine), "up");
    }

    /** The command that runs {@code command} on that machine's network, and changes nothing else around it. */
    public static List<String> inside(String namespace, List<String> command) {
        List<String> whole = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + namespace));
        whole.addAll(command);
        return whole;
    }

    @Override
    public void close() {
        // By itself a cable goes with its namespace, which may last for minutes: until its last connection timed out.
        for (String cable : cables.values()) {
            Shell.tryRun(List.of("ip", "link", "del", cable));
        }
        for (String namespace : namespaces) {
            Shell.tryRun(List.of("ip", "netns", "del", namespace));
        }
        Shell.tryRun(List.of("ip", "link", "del", name));
        Servers.deleteTree(runFolder());
    }
}
