package dev.mayfly.agent.relay;

import java.util.Optional;

/** A VM as the relay sees it. */
public interface RelayedVm {

    String slotId();

    /** The one job this VM may see; empty while it isn't bound to one. */
    Optional<RelayedJob> job();
}
