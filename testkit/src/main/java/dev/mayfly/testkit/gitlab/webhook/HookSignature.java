package dev.mayfly.testkit.gitlab.webhook;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The HMAC of GitLab 19: {@code v1,base64(HMAC-SHA256(key, id.timestamp.body))}. */
final class HookSignature {
    private HookSignature() {}

    static String sign(String signingToken, String id, String timestamp, byte[] body) {
        try {
            String encoded =
                    signingToken.startsWith("whsec_") ? signingToken.substring("whsec_".length()) : signingToken;
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(Base64.getDecoder().decode(encoded), "HmacSHA256"));
            mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
            return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot sign a webhook", e);
        }
    }

    /** Whether a token can be used: {@code whsec_} and base64 of a key. */
    static boolean isValid(String signingToken) {
        try {
            return signingToken.startsWith("whsec_")
                    && Base64.getDecoder().decode(signingToken.substring("whsec_".length())).length >= 16;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
