package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Says where a secret is, {@code file:<path>} or {@code env:<NAME>}; never holds it. A secret written out in the
 * configuration file is refused, so that the file may be copied, committed and shown.
 */
public final class SecretRef {

    private static final String FILE = "file:";
    private static final String ENV = "env:";

    private final String text;

    private SecretRef(String text) {
        this.text = text;
    }

    /**
     * Reads a configured value.
     *
     * @throws IllegalArgumentException if it is neither form; the message does not repeat what may be a secret
     */
    @JsonCreator
    public static SecretRef parse(String text) {
        boolean known = (text.startsWith(FILE) && text.length() > FILE.length())
                || (text.startsWith(ENV) && text.length() > ENV.length());
        if (!known) {
            throw new IllegalArgumentException(
                    "a secret must not be written in the configuration; write file:<path> or env:<VARIABLE>");
        }
        return new SecretRef(text);
    }

    /**
     * The secret, without surrounding white space.
     *
     * @throws ConfigurationProblem if it is not there or empty
     */
    public String read() {
        String value = text.startsWith(ENV) ? fromEnvironment() : fromFile();
        if (value.isBlank()) {
            throw new ConfigurationProblem("the secret %s is empty; put a value there".formatted(text));
        }
        return value.strip();
    }

    private String fromEnvironment() {
        String value = System.getenv(text.substring(ENV.length()));
        if (value == null) {
            throw new ConfigurationProblem("the secret %s is missing; set that environment variable".formatted(text));
        }
        return value;
    }

    private String fromFile() {
        Path path = Path.of(text.substring(FILE.length()));
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new ConfigurationProblem(
                    "the secret %s %s; create the file, readable by this user only"
                            .formatted(text, e instanceof NoSuchFileException ? "is missing" : "can't be read"),
                    e);
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
