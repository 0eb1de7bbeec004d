package dev.mayfly.agent.network;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An IPv4 network.
 *
 * @param base its first address
 * @param bits length of its prefix
 */
public record Ipv4Network(int base, int bits) {

    private static final Pattern FORM =
            Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})(?:/(\\d{1,2}))?");

    /**
     * Reads CIDR form, or an address as a network of its own.
     *
     * @throws IllegalArgumentException if it is neither, or has host bits set
     */
    public static Ipv4Network parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException(text + " is no IPv4 network such as 10.200.0.0/16");
        }
        int address = 0;
        for (int i = 1; i <= 4; i++) {
            int octet = Integer.parseInt(form.group(i));
            if (octet > 255) {
                throw new IllegalArgumentException(text + " is no IPv4 network such as 10.200.0.0/16");
            }
            address = address << 8 | octet;
        }
        int bits = form.group(5) == null ? 32 : Integer.parseInt(form.group(5));
        if (bits > 32 || (address & ~mask(bits)) != 0) {
            throw new IllegalArgumentException(text + " has host bits set; write it such as 10.200.0.0/16");
        }
        return new Ipv4Network(address, bits);
    }

    /** Whether an address, written with dots, lies in it. */
    public boolean contains(String address) {
        return overlaps(parse(address));
    }

    /** Whether they share addresses. */
    public boolean overlaps(Ipv4Network other) {
        int common = mask(Math.min(bits, other.bits));
        return (base & common) == (other.base & common);
    }

    private static int mask(int bits) {
        return bits == 0 ? 0 : -1 << (32 - bits);
    }
}
