package dev.mayfly.activities.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class SealerTest {

    private static final byte[] KEY = new byte[32];
    private static final String SECRET = "glrt-s3cret-grüße";

    private final Sealer sealer = new Sealer("k1", KEY);

    @Test
    void whatWasSealedOpensAgainAndIsNotToBeReadMeanwhile() {
        byte[] sealed = sealer.seal(SECRET, "slot 1");

        assertThat(sealer.open(sealed, "slot 1")).isEqualTo(SECRET);
        assertThat(new String(sealed, StandardCharsets.ISO_8859_1)).doesNotContain("glrt", "s3cret");
        assertThat(new Sealer("k1", KEY).open(sealed, "slot 1"))
                .as("by another process with the same key")
                .isEqualTo(SECRET);
    }

    @Test
    void theSameSecretIsNeverSealedAlikeTwice() {
        assertThat(sealer.seal(SECRET, "slot 1")).isNotEqualTo(sealer.seal(SECRET, "slot 1"));
    }

    @Test
    void aSealedSecretCopiedToAnotherRowDoesNotOpen() {
        byte[] sealed = sealer.seal(SECRET, "slot 1");

        assertThatThrownBy(() -> sealer.open(sealed, "slot 2")).isInstanceOf(SealBrokenException.class);
    }

    @Test
    void noByteCanBeAltered() {
        byte[] sealed = sealer.seal(SECRET, "slot 1");
        for (int i = 0; i < sealed.length; i++) {
            byte[] altered = sealed.clone();
            altered[i] ^= 1;
            assertThatThrownBy(() -> sealer.open(altered, "slot 1"))
                    .as("byte %d", i)
                    .isInstanceOf(SealBrokenException.class)
                    .hasMessageContaining("slot 1");
        }
    }

    @Test
    void nothingCutShortOpens() {
        byte[] sealed = sealer.seal(SECRET, "slot 1");
        for (int length = 0; length < sealed.length; length++) {
            byte[] cut = Arrays.copyOf(sealed, length);
            assertThatThrownBy(() -> sealer.open(cut, "slot 1"))
                    .as("%d bytes", length)
                    .isInstanceOf(SealBrokenException.class);
        }
    }

    @Test
    void anotherKeyOfTheSameNameIsToldApartFromAKeyOfAnotherName() {
        byte[] otherKey = KEY.clone();
        otherKey[31] = 1;
        byte[] sealed = sealer.seal(SECRET, "slot 1");

        assertThatThrownBy(() -> new Sealer("k1", otherKey).open(sealed, "slot 1"))
                .isInstanceOf(SealBrokenException.class)
                .hasMessageContaining("another key of the same name");
        assertThatThrownBy(() -> new Sealer("k2", KEY).open(sealed, "slot 1"))
                .isInstanceOf(SealBrokenException.class)
                .hasMessageContaining("sealed with key k1")
                .hasMessageContaining("configure that key again");
    }

    @Test
    void aBadKeyIsRefusedWithTheCureAndIsNotQuoted() {
        String shortKey = Base64.getEncoder().encodeToString("too short, and secret".getBytes(StandardCharsets.UTF_8));

        assertThatThrownBy(() -> Sealer.ofBase64("k1", shortKey))
                .hasMessageContaining("must be 32 bytes, not 21")
                .hasMessageContaining("/dev/urandom")
                .hasMessageNotContaining(shortKey);
        assertThatThrownBy(() -> Sealer.ofBase64("k1", "no*base64"))
                .hasMessageContaining("is not base64")
                .hasStackTraceContaining("Sealer")
                .satisfies(refused -> assertThat(refused.toString()).doesNotContain("no*base64"))
                .hasNoCause();
        assertThatThrownBy(() -> new Sealer("K-1", KEY)).hasMessageContaining("[a-z0-9]");
    }

    @Test
    void itNeverShowsItsKey() {
        assertThat(sealer).hasToString("Sealer[keyId=k1]");
    }
}
