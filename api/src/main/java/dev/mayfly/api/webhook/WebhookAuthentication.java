package dev.mayfly.api.webhook;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a webhook comes from one GitLab instance: by the HMAC signature of GitLab 19 where a signing token is
 * configured and the request is signed, else by the secret token. Compares in constant time. A request that carries a
 * wrong signature is refused even if its secret token is right.
 */
public final class WebhookAuthentication {

    private static final String SCHEME = "v1,";
    private static final String KEY_PREFIX = "whsec_";
    private static final String ALGORITHM = "HmacSHA256";

    private final @Nullable SecretKeySpec signingKey;
    private final byte @Nullable [] token;
    private final Duration maxAge;
    private final Clock clock;

    /**
     * For one instance.
     *
     * @param signingToken {@code whsec_<base64>}, null if none is configured
     * @param token what {@code X-Gitlab-Token} must be, null if none is configured
     * @param maxAge how far a signed request's time may be off
     * @throws IllegalArgumentException if the signing token is none; the message doesn't repeat it
     */
    public WebhookAuthentication(@Nullable String signingToken, @Nullable String token, Duration maxAge, Clock clock) {
        this.signingKey = signingToken == null ? null : new SecretKeySpec(decode(signingToken), ALGORITHM);
        this.token = token == null ? null : token.getBytes(StandardCharsets.UTF_8);
        this.maxAge = maxAge;
        this.clock = clock;
    }

    /**
     * The headers that matter, each null if absent.
     *
     * @param signature one or more {@code v1,<base64>}, separated by blanks: more than one while keys are rotated
     */
    public record Proof(
            @Nullable String id,
            @Nullable String timestamp,
            @Nullable String signature,
            @Nullable String token) {

        @Override
        public String toString() {
            return "Proof[id=%s, timestamp=%s, secrets=[redacted]]".formatted(id, timestamp);
        }
    }

    /** Why the request is not authentic, in words for the log; null if it is. */
    public @Nullable String refuse(Proof proof, byte[] body) {
        if (signingKey != null && proof.signature() != null) {
            return refuseSignature(signingKey, proof, proof.signature(), body);
        }
        if (token == null) {
            return "it is not signed; give the webhook the configured signing token";
        }
        if (proof.token() == null) {
            return "it carries no secret token; give the webhook the configured secret token";
        }
        return MessageDigest.isEqual(token, proof.token().getBytes(StandardCharsets.UTF_8))
                ? null
                : "its secret token is wrong; give the webhook the configured secret token";
    }

    private @Nullable String refuseSignature(SecretKeySpec key, Proof proof, String signatures, byte[] body) {
        if (proof.id() == null || proof.timestamp() == null) {
            return "it is signed but has no webhook-id or webhook-timestamp";
        }
        if (!isRecent(proof.timestamp())) {
            return "its webhook-timestamp is malformed or more than %s off; check both clocks".formatted(maxAge);
        }
        byte[] expected = sign(key, proof.id() + "." + proof.timestamp() + ".", body);
        boolean valid = false;
        for (String signature : signatures.split(" ", -1)) {
            valid |= signature.startsWith(SCHEME)
                    && MessageDigest.isEqual(expected, tolerantDecode(signature.substring(SCHEME.length())));
        }
        return valid ? null : "its signature is wrong; give the webhook the configured signing token";
    }

    private boolean isRecent(String timestamp) {
        try {
            Instant sent = Instant.ofEpochSecond(Long.parseLong(timestamp));
            return Duration.between(sent, clock.instant()).abs().compareTo(maxAge) <= 0;
        } catch (NumberFormatException | java.time.DateTimeException | ArithmeticException e) {
            return false;
        }
    }

    private static byte[] sign(SecretKeySpec key, String head, byte[] body) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            mac.update(head.getBytes(StandardCharsets.UTF_8));
            return mac.doFinal(body);
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("this Java has no " + ALGORITHM, e);
        }
    }

    private static byte[] decode(String signingToken) {
        if (!signingToken.startsWith(KEY_PREFIX) || signingToken.length() == KEY_PREFIX.length()) {
            throw new IllegalArgumentException(
                    "a signing token starts with whsec_; copy it from GitLab's webhook page");
        }
        byte[] key = tolerantDecode(signingToken.substring(KEY_PREFIX.length()));
        if (key.length == 0) {
            throw new IllegalArgumentException("the signing token is cut short; copy it from GitLab's webhook page");
        }
        return key;
    }

    /** Base64 with or without padding; nothing at all if it is no Base64, which never equals a MAC. */
    private static byte[] tolerantDecode(String text) {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }
}
