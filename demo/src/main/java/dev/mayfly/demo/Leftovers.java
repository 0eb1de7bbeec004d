package dev.mayfly.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What is left of an installation's VMs, measured on the machine itself by the installation's prefix, not by the control
 * plane's word: processes from {@code /proc}, namespaces and interfaces from the kernel, files from the hosts' folders,
 * runners from GitLab, reservations from PostgreSQL.
 *
 * @param vms processes of VMs: guards and VMMs
 * @param taps interfaces on hosts that belong to VMs
 * @param disks files of VMs in the hosts' folders, journals and tombstones apart
 * @param runners runners of ours in GitLab
 * @param reservations slots that hold capacity
 * @param processes any other process that names one of the installation's slots
 */
public record Leftovers(int vms, int namespaces, int taps, int disks, int runners, int reservations, int processes) {

    /** Counts everything; {@code installation} is the five-character prefix of its slots. */
    static Leftovers count(DemoCluster cluster, String installation, int runners) {
        List<String> commands = Processes.naming("/" + installation + "-").stream()
                .map(Processes::commandLine)
                .toList();
        int vms = (int) commands.stream()
                .filter(command -> command.contains("mayfly-guard") || command.contains("qemu-system"))
                .count();
        return new Leftovers(
                vms,
                namespaces(installation).size(),
                cluster.hosts().interfaces("mf" + installation + "-"),
                disks(cluster, installation),
                runners,
                reservations(cluster.database()),
                commands.size() - vms);
    }

    public boolean isNothing() {
        return vms + namespaces + taps + disks + runners + reservations + processes == 0;
    }

    public Map<String, Integer> asMap() {
        Map<String, Integer> map = new LinkedHashMap<>();
        map.put("vms", vms);
        map.put("namespaces", namespaces);
        map.put("taps", taps);
        map.put("disks", disks);
        map.put("runners", runners);
        map.put("reservations", reservations);
        map.put("processes", processes);
        return map;
    }

    /** Ends what an interrupted run left: VMs outlive their agents by design, but not their demonstration. */
    static void remove(String installation) {
        for (ProcessHandle process : Processes.naming("/" + installation + "-")) {
            process.destroyForcibly();
        }
        for (String namespace : namespaces(installation)) {
            Shell.tryRun(List.of("ip", "netns", "del", namespace));
        }
    }

    private static List<String> namespaces(String installation) {
        return Shell.run("ip", "netns", "list")
                .lines()
                .map(line -> line.split(" ", 2)[0])
                .filter(name -> name.startsWith("mayfly-" + installation + "-"))
                .toList();
    }

    private static int disks(DemoCluster cluster, String installation) {
        int count = 0;
        for (int host = 1; host <= cluster.options().hosts(); host++) {
            Path folder = cluster.options().work().resolve("host-" + host);
            count += filesOfSlots(folder, installation);
            count += filesOfSlots(cluster.network().runFolder().resolve("host-" + host), installation);
        }
        return count;
    }

    private static int filesOfSlots(Path folder, String installation) {
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        AtomicInteger count = new AtomicInteger();
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    String name = file.toString();
                    if (attributes.isRegularFile()
                            && name.contains("/" + installation + "-")
                            && !name.contains("tombstone")) {
                        count.incrementAndGet();
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                    return goOnIfGone(failure);
                }

                @Override
                public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure)
                        throws IOException {
                    return failure == null ? FileVisitResult.CONTINUE : goOnIfGone(failure);
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException("can't look for VM files in " + folder, e);
        }
        return count.get();
    }

    /** Agents remove VMs while we look. */
    private static FileVisitResult goOnIfGone(IOException failure) throws IOException {
        if (failure instanceof NoSuchFileException) {
            return FileVisitResult.CONTINUE;
        }
        throw failure;
    }

    private static int reservations(DemoDatabase database) {
        try (Connection connection = database.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT count(*) FROM slot WHERE released_at IS NULL")) {
            rows.next();
            return rows.getInt(1);
        } catch (SQLException e) {
            throw new IllegalStateException("can't count reservations: " + e.getMessage(), e);
        }
    }
}
