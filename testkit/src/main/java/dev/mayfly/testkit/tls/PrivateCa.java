package dev.mayfly.testkit.tls;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * A private certificate authority in a folder: {@code ca.pem} to be trusted, {@code ca.p12} to sign with.
 *
 * <p>Made with the JDK's {@code keytool}, so that no library is needed. For tests and demos: the key stores' password is
 * a constant, whoever can read the folder can sign. An authority that is there already is used again, so certificates
 * stay trusted across restarts.
 */
public final class PrivateCa {
    private static final String PASSWORD = "changeit";
    private static final String CA_ALIAS = "ca";

    private final Path folder;

    private PrivateCa(Path folder) {
        this.folder = folder;
    }

    /** Opens the authority in {@code folder}, or makes it there. */
    public static PrivateCa openOrCreate(Path folder, String commonName) {
        PrivateCa ca = new PrivateCa(folder);
        try {
            Files.createDirectories(folder);
            if (!Files.exists(ca.caPem())) {
                Files.deleteIfExists(ca.caStore());
                keytool(List.of(
                        "-genkeypair",
                        "-alias",
                        CA_ALIAS,
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-dname",
                        "CN=" + commonName,
                        "-ext",
                        "bc:c=ca:true",
                        "-ext",
                        "ku:c=keyCertSign,cRLSign",
                        "-validity",
                        "3650",
                        "-keystore",
                        ca.caStore().toString()));
                ca.writeCaPem();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a certificate authority in " + folder, e);
        }
        return ca;
    }

    /** The certificate to trust, PEM. */
    public Path caPem() {
        return folder.resolve("ca.pem");
    }

    /** The password of every key store made here. */
    public char[] password() {
        return PASSWORD.toCharArray();
    }

    /**
     * A server certificate for these names and addresses, as PKCS12 with its chain; the first name is the subject.
     * Kept as {@code <alias>.p12} and made anew by every call, so that a changed address is always covered.
     */
    public Path issueServerCertificate(String alias, List<String> names, List<String> addresses) {
        Path store = folder.resolve(alias + ".p12");
        List<String> alternatives = new ArrayList<>();
        names.forEach(name -> alternatives.add("dns:" + name));
        addresses.forEach(address -> alternatives.add("ip:" + address));
        Path work = folder.resolve("." + alias + "-" + ProcessHandle.current().pid() + ".p12");
        try {
            // The key is made beside the authority's, signed there, and then moved into a store of its own.
            Files.copy(caStore(), work);
            makeSignedKey(alias, names.get(0), String.join(",", alternatives), work);
            KeyStore made = load(work);
            KeyStore server = KeyStore.getInstance("PKCS12");
            server.load(null, password());
            server.setKeyEntry(alias, made.getKey(alias, password()), password(), made.getCertificateChain(alias));
            try (OutputStream out = Files.newOutputStream(store)) {
                server.store(out, password());
            }
            return store;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot issue a certificate for " + names + " in " + folder, e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot issue a certificate for " + names + " in " + folder, e);
        } finally {
            work.toFile().delete();
        }
    }

    private static void makeSignedKey(String alias, String name, String alternatives, Path store) throws IOException {
        keytool(List.of(
                "-genkeypair",
                "-alias",
                alias,
                "-signer",
                CA_ALIAS,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=" + alternatives,
                "-ext",
                "eku=serverAuth",
                "-ext",
                "bc=ca:false",
                "-validity",
                "3650",
                "-keystore",
                store.toString()));
    }

    /** A server's TLS context over a key store made here. */
    public SSLContext serverContext(Path keyStore) {
        try {
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(load(keyStore), password());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            return context;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + keyStore, e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot use " + keyStore, e);
        }
    }

    private Path caStore() {
        return folder.resolve("ca.p12");
    }

    private KeyStore load(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(in, password());
            return store;
        } catch (GeneralSecurityException e) {
            throw new IOException("cannot read key store " + path, e);
        }
    }

    private void writeCaPem() throws IOException {
        try {
            byte[] der = load(caStore()).getCertificate(CA_ALIAS).getEncoded();
            String pem = "-----BEGIN CERTIFICATE-----\n"
                    + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                    + "\n-----END CERTIFICATE-----\n";
            Files.writeString(caPem(), pem, StandardCharsets.US_ASCII);
        } catch (GeneralSecurityException e) {
            throw new IOException("cannot export the certificate of " + caStore(), e);
        }
    }

    private static void keytool(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(arguments);
        command.addAll(List.of("-storetype", "PKCS12", "-storepass:env", "KEYTOOL_PASSWORD"));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("KEYTOOL_PASSWORD", PASSWORD);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IOException("keytool failed: " + output);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while keytool ran", e);
        }
    }
}
