package dev.mayfly.activities.seal;

/**
 * Seals secrets with AES-256-GCM. The sealed form names the key and is bound to a context (such as the slot id), so a
 * sealed token copied to another row does not open.
 */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class Sealer {

    /**
     * A sealer.
     *
     * @param keyId short name of the key, {@code [a-z0-9]{1,16}}; stands in the clear in front of what it sealed
     * @param key 32 bytes
     */
    public Sealer(String keyId, byte[] key) {
        throw new UnsupportedOperationException("soon: " + keyId + key.length);
    }

    /**
     * A sealer from a key in base64.
     *
     * @throws IllegalArgumentException with the cure, if the text is not 32 bytes in base64
     */
    public static Sealer ofBase64(String keyId, String base64) {
        return new Sealer(keyId, java.util.Base64.getDecoder().decode(base64.strip()));
    }

    public byte[] seal(String secret, String context) {
        throw new UnsupportedOperationException("soon: " + context);
    }

    /** @throws SealBrokenException if it was sealed with another key, for another context, or was altered */
    public String open(byte[] sealed, String context) {
        throw new UnsupportedOperationException("soon: " + context);
    }
}
