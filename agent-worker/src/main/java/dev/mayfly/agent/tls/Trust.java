package dev.mayfly.agent.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** The certificates that a server's must be signed by. */
public final class Trust {

    private final TrustManagerFactory factory;

    private Trust(Collection<? extends Certificate> authorities) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int count = 0;
        for (Certificate authority : authorities) {
            store.setCertificateEntry("authority-" + count++, authority);
        }
        factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
    }

    /**
     * The certificates of this PEM file and no others; the public ones if there is no file.
     *
     * @throws IOException if the file can't be read or holds no certificate
     */
    public static Trust in(@Nullable Path caFile) throws IOException {
        try {
            return new Trust(caFile == null ? publicRoots() : certificates(Files.readAllBytes(caFile)));
        } catch (GeneralSecurityException e) {
            throw new IOException("%s holds no usable certificates as PEM: %s".formatted(caFile, e.getMessage()), e);
        }
    }

    /** The public certificates, and those of this PEM text if there is one. */
    public static Trust inPublicOnesAnd(@Nullable String caPem) throws IOException, GeneralSecurityException {
        List<Certificate> authorities = new ArrayList<>(publicRoots());
        if (caPem != null) {
            authorities.addAll(certificates(caPem.getBytes(StandardCharsets.US_ASCII)));
        }
        return new Trust(authorities);
    }

    /** For libraries that make their own TLS. */
    public TrustManagerFactory factory() {
        return factory;
    }

    /** A client's side of TLS. */
    public SSLContext context() throws IOException {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS can't be set up: " + e.getMessage(), e);
        }
    }

    private static Collection<? extends Certificate> certificates(byte[] pem) throws GeneralSecurityException {
        var found = CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(pem));
        if (found.isEmpty()) {
            throw new CertificateException("there is none in it");
        }
        return found;
    }

    private static List<X509Certificate> publicRoots() throws GeneralSecurityException {
        TrustManagerFactory system = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        system.init((KeyStore) null);
        for (TrustManager manager : system.getTrustManagers()) {
            if (manager instanceof X509TrustManager x509) {
                return List.of(x509.getAcceptedIssuers());
            }
        }
        return List.of();
    }
}
