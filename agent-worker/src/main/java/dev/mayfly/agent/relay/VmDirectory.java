package dev.mayfly.agent.relay;

import java.net.InetAddress;
import java.util.Optional;

/** Which VM has which address at the relay. A guest is known by its peer address, never by what it says. */
public interface VmDirectory {

    Optional<RelayedVm> at(InetAddress peer);
}
