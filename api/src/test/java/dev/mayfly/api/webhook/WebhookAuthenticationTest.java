package dev.mayfly.api.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.api.webhook.WebhookAuthentication.Proof;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class WebhookAuthenticationTest {

    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final byte[] KEY = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final String SIGNING = "whsec_" + Base64.getEncoder().encodeToString(KEY);
    private static final byte[] BODY = {'{', (byte) 0xff, '}'};
    private static final String SECONDS = Long.toString(NOW.getEpochSecond());

    private static WebhookAuthentication authentication(@Nullable String signing, @Nullable String token) {
        return new WebhookAuthentication(signing, token, Duration.ofMinutes(5), Clock.fixed(NOW, ZoneOffset.UTC));
    }

    private static String signature(byte[] key, String id, String timestamp, byte[] body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
            return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static Proof signed(String signature) {
        return new Proof("id-1", SECONDS, signature, null);
    }

    @Test
    void aRightSignatureOverTheRawBytesIsAuthentic() {
        assertThat(authentication(SIGNING, null).refuse(signed(signature(KEY, "id-1", SECONDS, BODY)), BODY))
                .isNull();
    }

    @Test
    void oneRightSignatureAmongSeveralIsEnoughWhileKeysAreRotated() {
        String others = signature(new byte[32], "id-1", SECONDS, BODY) + " v2,zzz not-base64 "
                + signature(KEY, "id-1", SECONDS, BODY);
        assertThat(authentication(SIGNING, null).refuse(signed(others), BODY)).isNull();
    }

    @Test
    void aSignatureOfAnotherKeyBodyIdOrTimeIsRefused() {
        WebhookAuthentication authentication = authentication(SIGNING, null);
        assertThat(authentication.refuse(signed(signature(new byte[32], "id-1", SECONDS, BODY)), BODY))
                .contains("signature is wrong");
        assertThat(authentication.refuse(signed(signature(KEY, "id-1", SECONDS, BODY)), new byte[] {'{', '}'}))
                .contains("signature is wrong");
        assertThat(authentication.refuse(signed(signature(KEY, "id-2", SECONDS, BODY)), BODY))
                .contains("signature is wrong");
        assertThat(authentication.refuse(signed("v1,"), BODY)).contains("signature is wrong");
        assertThat(authentication.refuse(signed(""), BODY)).contains("signature is wrong");
    }

    @Test
    void aWrongSignatureIsRefusedThoughTheSecretTokenIsRight() {
        Proof proof = new Proof("id-1", SECONDS, signature(new byte[32], "id-1", SECONDS, BODY), "secret");
        assertThat(authentication(SIGNING, "secret").refuse(proof, BODY)).contains("signature is wrong");
    }

    @Test
    void aSignedRequestFromAnotherTimeIsAReplay() {
        for (long off : new long[] {-301, 301}) {
            String then = Long.toString(NOW.getEpochSecond() + off);
            Proof proof = new Proof("id-1", then, signature(KEY, "id-1", then, BODY), null);
            assertThat(authentication(SIGNING, null).refuse(proof, BODY)).contains("webhook-timestamp");
        }
        String justYet = Long.toString(NOW.getEpochSecond() - 300);
        Proof proof = new Proof("id-1", justYet, signature(KEY, "id-1", justYet, BODY), null);
        assertThat(authentication(SIGNING, null).refuse(proof, BODY)).isNull();
    }

    @Test
    void aTimestampThatIsNoneIsRefusedWithoutCrash() {
        for (String timestamp : new String[] {"soon", "", "99999999999999999999", "9223372036854775807"}) {
            Proof proof = new Proof("id-1", timestamp, signature(KEY, "id-1", timestamp, BODY), null);
            assertThat(authentication(SIGNING, null).refuse(proof, BODY)).contains("webhook-timestamp");
        }
        assertThat(authentication(SIGNING, null).refuse(new Proof(null, null, "v1,x", null), BODY))
                .contains("webhook-id");
    }

    @Test
    void theSecretTokenDecidesWhereNothingIsSigned() {
        WebhookAuthentication both = authentication(SIGNING, "secret");
        assertThat(both.refuse(new Proof(null, null, null, "secret"), BODY)).isNull();
        assertThat(both.refuse(new Proof(null, null, null, "Secret"), BODY)).contains("secret token is wrong");
        assertThat(both.refuse(new Proof(null, null, null, null), BODY)).contains("no secret token");
        assertThat(both.refuse(new Proof(null, null, null, ""), BODY)).contains("secret token is wrong");
    }

    @Test
    void withoutASecretTokenOnlySignedRequestsAreAuthentic() {
        assertThat(authentication(SIGNING, null).refuse(new Proof(null, null, null, "secret"), BODY))
                .contains("not signed");
    }

    @Test
    void aSigningTokenThatIsNoneIsRefusedWithoutBeingRepeated() {
        for (String broken : new String[] {"whsec_", "abc-secret", "whsec_!!!"}) {
            assertThatThrownBy(() -> authentication(broken, null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageNotContaining("abc-secret")
                    .hasMessageContaining("copy it from GitLab");
        }
    }
}
