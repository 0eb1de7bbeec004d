package dev.mayfly.agent.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where this host's control group trees are mounted.
 *
 * @param v1 mount point per controller; empty if the host has cgroup v2 alone
 * @param v2 mount point of the v2 tree, null if there is none
 */
public record CgroupTrees(
        Map<String, Path> v1,
        @org.jspecify.annotations.Nullable Path v2) {

    private static final List<String> CONTROLLERS = List.of("memory", "cpu", "pids");

    /** Reads the mounts of this process. */
    public static CgroupTrees find() throws IOException {
        return parse(Files.readAllLines(Path.of("/proc/self/mounts")));
    }

    /** As {@link #find}, of the lines of a mounts file. */
    public static CgroupTrees parse(List<String> mounts) {
        Map<String, Path> v1 = new LinkedHashMap<>();
        Path v2 = null;
        for (String mount : mounts) {
            String[] field = mount.split(" ", -1);
            if (field.length < 4) {
                continue;
            }
            if (field[2].equals("cgroup2") && v2 == null) {
                v2 = Path.of(field[1]);
            } else if (field[2].equals("cgroup")) {
                Arrays.stream(field[3].split(",", -1))
                        .filter(CONTROLLERS::contains)
                        .forEach(controller -> v1.putIfAbsent(controller, Path.of(field[1])));
            }
        }
        return new CgroupTrees(v1, v2);
    }

    /** Whether limits go to v2. */
    public boolean isV2() {
        return v1.isEmpty();
    }

    /** Controllers that a VM needs and this host does not have. */
    public List<String> missing() throws IOException {
        if (!isV2()) {
            return CONTROLLERS.stream().filter(each -> !v1.containsKey(each)).toList();
        }
        if (v2 == null) {
            return CONTROLLERS;
        }
        List<String> there = List.of(
                Files.readString(v2.resolve("cgroup.controllers")).strip().split(" ", -1));
        return CONTROLLERS.stream().filter(each -> !there.contains(each)).toList();
    }

    /** Mount point of a controller's tree. */
    public Path root(String controller) {
        Path root = isV2() ? v2 : v1.get(controller);
        if (root == null) {
            throw new IllegalStateException("no control group tree for " + controller);
        }
        return root;
    }

    /** Every tree that a VM's processes join. */
    List<Path> all() {
        List<Path> all = new ArrayList<>(v1.values());
        if (v2 != null) {
            all.add(v2);
        }
        return all.stream().distinct().toList();
    }
}
