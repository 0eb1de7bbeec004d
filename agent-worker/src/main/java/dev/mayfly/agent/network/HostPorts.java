package dev.mayfly.agent.network;

/**
 * The TCP ports that guests reach on this host's end of their cables, and nobody else does.
 *
 * @param relay of the relay
 * @param registry of the registry, 0 if this host has none
 */
public record HostPorts(int relay, int registry) {

    boolean hasRegistry() {
        return registry != 0;
    }

    /** For {@code nft}: a port, or a set of them. */
    @Override
    public String toString() {
        return hasRegistry() ? "{ %d, %d }".formatted(relay, registry) : Integer.toString(relay);
    }
}
