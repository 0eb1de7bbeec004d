package dev.mayfly.agent.vm;

import java.util.regex.Pattern;

/**
 * The names of all that a slot owns on a host. They carry the installation's prefix, so that start-up reclaim and
 * people can tell whose a left-over is; nothing without it is ever touched.
 */
public final class SlotNames {

    private static final Pattern SLOT_ID = Pattern.compile("[a-z0-9]{5}-[0-9]{1,7}");

    private SlotNames() {}

    /** Whether this is a slot's id; guards every name below against surprises from outside. */
    public static boolean isSlotId(String text) {
        return SLOT_ID.matcher(text).matches();
    }

    /** The installation that a slot is of. */
    public static String installation(String slotId) {
        return slotId.substring(0, slotId.indexOf('-'));
    }

    /** Network namespace. */
    public static String namespace(String slotId) {
        return "mayfly-" + slotId;
    }

    /** The host's end of the cable into the namespace; at most 15 characters, as Linux wants it. */
    public static String cable(String slotId) {
        return "mf" + slotId;
    }

    /** Of every namespace of an installation. */
    public static String namespacePrefix(String installation) {
        return "mayfly-" + installation + "-";
    }

    /** Of every cable of an installation. */
    public static String cablePrefix(String installation) {
        return "mf" + installation + "-";
    }
}
