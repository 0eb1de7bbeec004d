package dev.mayfly.agent.registry;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A repository of images under the one name that it has on this host: images of docker.io by their path there, such as
 * {@code library/busybox}, all others after the host that they come from, such as {@code quay.io/org/app}. The two can't
 * meet, because no name on docker.io begins with a word that has a dot.
 *
 * @param path what stands between {@code /v2/} and {@code /manifests/}
 */
record Repository(String path) {

    /** The registry that a name without one means. */
    static final String HUB = "docker.io";

    private static final int LONGEST = 255;
    /** As distribution's specification has it. */
    private static final String COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";

    private static final Pattern FORM = Pattern.compile(COMPONENT + "(?:/" + COMPONENT + ")*");

    /** The repository that a name means, without tag and digest; empty if it can't be the name of one. */
    static Optional<Repository> named(String name) {
        if (name.length() > LONGEST || !FORM.matcher(name).matches()) {
            return Optional.empty();
        }
        String path = name.startsWith(HUB + "/") ? name.substring(HUB.length() + 1) : name;
        return Optional.of(new Repository(path.contains("/") ? path : "library/" + path));
    }

    /** The registry that it comes from, such as {@code quay.io}. */
    String upstream() {
        String first = path.substring(0, path.indexOf('/'));
        return first.contains(".") ? first : HUB;
    }

    /** Its path at that registry. */
    String atUpstream() {
        return upstream().equals(HUB) ? path : path.substring(path.indexOf('/') + 1);
    }
}
