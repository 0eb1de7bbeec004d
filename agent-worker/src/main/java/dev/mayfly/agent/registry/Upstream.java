package dev.mayfly.agent.registry;

import java.net.URI;
import java.util.regex.Pattern;

/**
 * A registry whose images pass through this host's.
 *
 * @param name as it stands in images' names, such as {@code docker.io}
 * @param url where it is
 */
public record Upstream(String name, URI url) {

    private static final Pattern NAME = Pattern.compile("[a-z0-9]+([.-][a-z0-9]+)*\\.[a-z0-9]+");
    /** Without user and password: nothing that needs them may be shown to every job. */
    private static final Pattern URL = Pattern.compile("https?://[^\\s'\"/?#@]+/?");

    /**
     * Reads {@code quay.io}, or {@code docker.io=https://mirror.example.com}.
     *
     * @throws IllegalArgumentException if it is neither
     */
    public static Upstream parse(String text) {
        int split = text.indexOf('=');
        String name = split < 0 ? text : text.substring(0, split);
        String url = split < 0
                ? "https://" + (name.equals(Repository.HUB) ? "registry-1.docker.io" : name)
                : text.substring(split + 1);
        if (!NAME.matcher(name).matches() || !URL.matcher(url).matches()) {
            throw new IllegalArgumentException(text + " is neither quay.io nor docker.io=https://mirror.example.com");
        }
        return new Upstream(name, URI.create(url));
    }
}
