package dev.mayfly.agent.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrustTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {"", "no certificate at all\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})
    void aFileWithoutACertificateIsAnErrorThatNamesIt(String pem) throws IOException {
        Path file = Files.writeString(folder.resolve("ca.pem"), pem);
        assertThatThrownBy(() -> Trust.in(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ca.pem holds no usable certificates as PEM");
    }

    @Test
    void withoutAFileThePublicOnesAreTrusted() throws Exception {
        assertThat(authorities(Trust.in(null))).isPositive().isEqualTo(authorities(Trust.inPublicOnesAnd(null)));
    }

    private static int authorities(Trust trust) {
        return ((X509TrustManager) trust.factory().getTrustManagers()[0]).getAcceptedIssuers().length;
    }
}
