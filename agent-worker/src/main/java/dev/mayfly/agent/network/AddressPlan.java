package dev.mayfly.agent.network;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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

    private static final Pattern CIDR = Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2})");

    private final String pool;
    private final int base;
    private final int firstUid;
    private final int size;

    /**
     * A plan.
     *
     * @param pool IPv4 network in CIDR form; a quarter of its addresses is the most VMs it serves
     * @param firstUid user id of index 0
     * @param uids how many user ids there are
     * @throws IllegalArgumentException if the pool does not parse
     */
    public AddressPlan(String pool, int firstUid, int uids) {
        Matcher cidr = CIDR.matcher(pool);
        if (!cidr.matches()) {
            throw new IllegalArgumentException(pool + " is no IPv4 network such as 10.200.0.0/16");
        }
        int bits = Integer.parseInt(cidr.group(5));
        int address = 0;
        for (int i = 1; i <= 4; i++) {
            int octet = Integer.parseInt(cidr.group(i));
            if (octet > 255) {
                throw new IllegalArgumentException(pool + " is no IPv4 network such as 10.200.0.0/16");
            }
            address = address << 8 | octet;
        }
        if (bits < 8 || bits > 30 || (address & (1 << (32 - bits)) - 1) != 0) {
            throw new IllegalArgumentException(
                    pool + " must be a network of 8 to 30 bits with no host bits set, such as 10.200.0.0/16");
        }
        this.pool = pool;
        this.base = address;
        this.firstUid = firstUid;
        this.size = Math.min(1 << (30 - bits), uids);
    }

    /** How many VMs the plan serves at once. */
    public int size() {
        return size;
    }

    public String pool() {
        return pool;
    }

    /** The host's end of the cable. */
    public String hostEnd(int index) {
        return text(base + 4 * checked(index) + 1);
    }

    /** The VM's end of the cable: its address at the relay. */
    public InetAddress vmEnd(int index) {
        try {
            return InetAddress.getByAddress(bytes(base + 4 * checked(index) + 2));
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

    /** Whether a user id belongs to a VM of this host. */
    public boolean ownsUid(long uid) {
        return uid >= firstUid && uid < firstUid + (long) size;
    }

    /** Whether an IPv4 address, written with dots, is one of the pool's. */
    public boolean contains(String address) {
        int mask = -(1 << prefixBits());
        return (parse(address) & mask) == base;
    }

    /** Whether two networks in CIDR form share addresses. */
    public static boolean overlap(String one, String other) {
        AddressPlan a = new AddressPlan(one, 0, 1);
        AddressPlan b = new AddressPlan(other, 0, 1);
        return a.contains(text(b.base)) || b.contains(text(a.base));
    }

    private int prefixBits() {
        return 32 - Integer.parseInt(pool.substring(pool.indexOf('/') + 1));
    }

    private static int parse(String address) {
        int value = 0;
        for (String octet : address.split("\\.", -1)) {
            value = value << 8 | Integer.parseInt(octet);
        }
        return value;
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
