package dev.mayfly.activities.placement;

/** GitLab's paths: no group and project share one, so a path alone says which of them is meant. */
final class Paths {

    private Paths() {}

    /** Whether a project is this one or is in this group; every project is in the empty path. */
    static boolean covers(String path, String projectPath) {
        return path.isEmpty() || projectPath.equals(path) || projectPath.startsWith(path + "/");
    }
}
