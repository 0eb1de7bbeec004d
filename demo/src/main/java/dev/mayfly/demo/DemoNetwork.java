package dev.mayfly.demo;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * One private bridge, and a network namespace on it for each machine of the demonstration. The control plane stands on
 * the bridge's own address. Everything made here carries this network's name and goes with {@link #close()}.
 */
final class DemoNetwork implements AutoCloseable {

    private static final int CONTROL_PLANE = 1;
    private static final int ATTEMPTS = 50;

    private final String name;
    private final String subnet;
    private final List<String> namespaces = new ArrayList<>();

    private DemoNetwork(String name, String subnet) {
        this.name = name;
        this.subnet = subnet;
    }

    /** A bridge with a free subnet {@code 10.x.y.0/24} under a fresh name. */
    static DemoNetwork create() {
        String routes = Shell.run("ip", "-4", "route");
        String bridges = Shell.run("ip", "-o", "link");
        ThreadLocalRandom random = ThreadLocalRandom.current();
        for (int i = 0; i < ATTEMPTS; i++) {
            String name = "mfd" + Integer.toString(random.nextInt(36 * 36 * 36), 36);
            String subnet = "10.%d.%d".formatted(random.nextInt(64, 192), random.nextInt(256));
            if (!routes.contains(subnet + ".") && !bridges.contains(" " + name)) {
                DemoNetwork network = new DemoNetwork(name, subnet);
                Shell.run("ip", "link", "add", name, "type", "bridge");
                Shell.run("ip", "addr", "add", network.controlPlane() + "/24", "dev", name);
                Shell.run("ip", "link", "set", name, "up");
                return network;
            }
        }
        throw new IllegalStateException("no free subnet in 10.64.0.0/10; remove old network namespaces and bridges");
    }

    /** This demonstration's name, five or six characters; prefixes what it makes on the machine. */
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

    String address(int machine) {
        return subnet + "." + machine;
    }

    String namespace(String machine) {
        return name + "-" + machine;
    }

    /** Puts a machine on the bridge: a namespace with this address, its loopback, and a route to the control plane. */
    String addMachine(String machine, int number) {
        String namespace = namespace(machine);
        String outside = name + "v" + number;
        Shell.run("ip", "netns", "add", namespace);
        namespaces.add(namespace);
        Shell.run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", namespace);
        Shell.run("ip", "link", "set", outside, "master", name, "up");
        Shell.run("ip", "-n", namespace, "link", "set", "lo", "up");
        Shell.run("ip", "-n", namespace, "addr", "add", address(number) + "/24", "dev", "eth0");
        Shell.run("ip", "-n", namespace, "link", "set", "eth0", "up");
        Shell.run("ip", "-n", namespace, "route", "add", "default", "via", controlPlane());
        Shell.run(inside(namespace, List.of("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")));
        return namespace;
    }

    /** The command that runs {@code command} on that machine's network, and changes nothing else around it. */
    static List<String> inside(String namespace, List<String> command) {
        List<String> whole = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + namespace));
        whole.addAll(command);
        return whole;
    }

    @Override
    public void close() {
        for (String namespace : namespaces) {
            Shell.tryRun(List.of("ip", "netns", "del", namespace));
        }
        Shell.tryRun(List.of("ip", "link", "del", name));
        Servers.deleteTree(runFolder());
    }
}
