package dev.mayfly.activities.seal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Seals secrets with AES-256-GCM. The sealed form names the key and is bound to a context (such as the slot id), so a
 * sealed token copied to another row does not open. Sealed form: length of the key id, key id, nonce, ciphertext.
 */
public final class Sealer {

    private static final String CIPHER = "AES/GCM/NoPadding";
    private static final Pattern KEY_ID = Pattern.compile("[a-z0-9]{1,16}");
    private static final int KEY_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private final String keyId;
    private final SecretKeySpec key;
    private final SecureRandom random = new SecureRandom();

    /**
     * A sealer.
     *
     * @param keyId short name of the key, {@code [a-z0-9]{1,16}}; stands in the clear in front of what it sealed
     * @param key 32 bytes
     */
    public Sealer(String keyId, byte[] key) {
        if (!KEY_ID.matcher(keyId).matches()) {
            throw new IllegalArgumentException("the sealing key's id must be 1 to 16 of [a-z0-9], not " + keyId);
        }
        if (key.length != KEY_BYTES) {
            throw new IllegalArgumentException("the sealing key %s must be 32 bytes, not %d; make one with: %s"
                    .formatted(keyId, key.length, "head -c 32 /dev/urandom | base64"));
        }
        this.keyId = keyId;
        this.key = new SecretKeySpec(key, "AES");
    }

    /**
     * A sealer from a key in base64.
     *
     * @throws IllegalArgumentException with the cure, if the text is not 32 bytes in base64
     */
    public static Sealer ofBase64(String keyId, String base64) {
        byte[] key;
        try {
            key = Base64.getDecoder().decode(base64.strip());
        } catch (IllegalArgumentException notBase64) { // its message may quote the key
            throw new IllegalArgumentException("the sealing key %s is not base64; make one with: %s"
                    .formatted(keyId, "head -c 32 /dev/urandom | base64"));
        }
        return new Sealer(keyId, key);
    }

    public byte[] seal(String secret, String context) {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        byte[] id = bytes(keyId);
        try {
            byte[] ciphertext = cipher(Cipher.ENCRYPT_MODE, nonce, context).doFinal(bytes(secret));
            return ByteBuffer.allocate(1 + id.length + nonce.length + ciphertext.length)
                    .put((byte) id.length)
                    .put(id)
                    .put(nonce)
                    .put(ciphertext)
                    .array();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("this Java has no AES-GCM", impossible);
        }
    }

    /**
     * The inverse of {@link #seal}.
     *
     * @throws SealBrokenException if it was sealed with another key, for another context, or was altered
     */
    public String open(byte[] sealed, String context) {
        ByteBuffer buffer = ByteBuffer.wrap(sealed);
        int idLength = buffer.hasRemaining() ? buffer.get() : 0;
        if (idLength <= 0 || buffer.remaining() < idLength + NONCE_BYTES + TAG_BITS / 8) {
            throw new SealBrokenException("the sealed secret of %s is cut short".formatted(context), null);
        }
        byte[] id = new byte[idLength];
        byte[] nonce = new byte[NONCE_BYTES];
        buffer.get(id).get(nonce);
        byte[] ciphertext = new byte[buffer.remaining()];
        buffer.get(ciphertext);
        String sealedWith = new String(id, StandardCharsets.UTF_8);
        if (!sealedWith.equals(keyId)) {
            throw new SealBrokenException(
                    "the secret of %s is sealed with key %s, but key %s is configured; configure that key again"
                            .formatted(context, sealedWith, keyId),
                    null);
        }
        try {
            return new String(cipher(Cipher.DECRYPT_MODE, nonce, context).doFinal(ciphertext), StandardCharsets.UTF_8);
        } catch (GeneralSecurityException broken) {
            throw new SealBrokenException(
                    "the secret of %s does not open with key %s: another key of the same name, or it was altered"
                            .formatted(context, keyId),
                    broken);
        }
    }

    private Cipher cipher(int mode, byte[] nonce, String context) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(CIPHER);
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(bytes(keyId + "|" + context));
        return cipher;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return "Sealer[keyId=" + keyId + "]";
    }
}
