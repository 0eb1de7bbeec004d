package dev.mayfly.agent.network;

import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * Derives from one small number, a slot's index, all that must be unique on a host: the /30 network of the cable into the
 * VM's namespace, and the VM's user id. Index {@code i} has the {@code i}-th /30 of the pool: its first address is the
 * host's end, its second the VM's, by which the relay knows the VM.
 */
public final class AddressPlan {

    /** The guest's own address, the same in every VM. */
    public static final String GUEST = "198.18.0.2";
    /** The guest's gateway, the same in every VM. */
    public static final String GATEWAY = "198.18.0.1";
    /** Where every guest finds the relay. */
    public static final String RELAY = "169.254.169.254";
    /** Where every guest finds its host's registry, at port 80; the image names it {@code registry.mayfly.internal}. */
    public static final String REGISTRY = "169.254.169.253";

    private final String pool;
    private final Ipv4Network network;
    private final int firstUid;
    private final int uids;
    private final int size;

    /**
     * A plan.
     *
     * @param pool IPv4 network in CIDR form; a quarter of its addresses is the most VMs it serves, one of them the driver's own
     * @param firstUid user id of index 0
     * @param uids how many user ids there are; the last one is the host's registry's
     * @throws IllegalArgumentException if the pool does not parse
     */
    public AddressPlan(String pool, int firstUid, int uids) {
        Ipv4Network network = Ipv4Network.parse(pool);
        if (network.bits() < 8 || network.bits() > 29) {
            throw new IllegalArgumentException(pool + " must be a network of 8 to 29 bits, such as 10.200.0.0/16");
        }
        if (uids < 3) {
            throw new IllegalArgumentException("uidRange must hold three user ids or more, such as 200000-216383");
        }
        this.network = network;
        this.pool = pool;
        this.firstUid = firstUid;
        this.uids = uids;
        this.size = Math.min(1 << (30 - network.bits()), uids - 1);
    }

    /** How many VMs the plan serves at once. */
    public int size() {
        return size;
    }

    /** How many of them may be slots'; the last one is the driver's own. */
    public int slots() {
        return size - 1;
    }

    /** Of a VM that no slot owns: the one that becomes a template. */
    public int ownIndex() {
        return size - 1;
    }

    public String pool() {
        return pool;
    }

    /** The host's end of the cable. */
    public String hostEnd(int index) {
        return text(network.base() + 4 * checked(index) + 1);
    }

    /** The VM's end of the cable: its address at the relay. */
    public InetAddress vmEnd(int index) {
        try {
            return InetAddress.getByAddress(bytes(network.base() + 4 * checked(index) + 2));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four bytes are always an address", e);
        }
    }

    /** User and group id of the VM's processes. */
    public int uid(int index) {
        return firstUid + checked(index);
    }

    public int firstUid() {
        return firstUid;
    }

    /** User and group id of the processes that keep images for guests. */
    public int registryUid() {
        return firstUid + uids - 1;
    }

    /** Whether a user id is one of this host's, of a VM or of its registry. */
    public boolean ownsUid(long uid) {
        return uid >= firstUid && uid < firstUid + (long) uids;
    }

    /** Whether an IPv4 address, written with dots, is one of the pool's. */
    public boolean contains(String address) {
        return network.contains(address);
    }

    private int checked(int index) {
        if (index < 0 || index >= size) {
            throw new IllegalArgumentException("index %d is outside the address plan of %d VMs".formatted(index, size));
        }
        return index;
    }

    private static byte[] bytes(int address) {
        return new byte[] {(byte) (address >> 24), (byte) (address >> 16), (byte) (address >> 8), (byte) address};
    }

    private static String text(int address) {
        byte[] b = bytes(address);
        return "%d.%d.%d.%d".formatted(b[0] & 0xff, b[1] & 0xff, b[2] & 0xff, b[3] & 0xff);
    }
}
