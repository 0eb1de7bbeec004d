package dev.mayfly.activities.installation;

import java.security.SecureRandom;
import org.jdbi.v3.core.Jdbi;

/**
 * The installation's identity: one row, made once. Its id prefixes every slot and stands in every runner's note, so
 * nothing without it is ever touched.
 */
public final class Installation {

    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final int LENGTH = 5;

    private final Jdbi jdbi;
    private final String id;

    /** Reads the id, or makes it at the first start ever. */
    public Installation(Jdbi jdbi) {
        this.jdbi = jdbi;
        this.id = jdbi.withHandle(handle -> {
            handle.execute("insert into installation (id) values (?) on conflict do nothing", fresh());
            return handle.createQuery("select id from installation")
                    .mapTo(String.class)
                    .one();
        });
    }

    /** Five characters {@code [a-z0-9]}. */
    public String id() {
        return id;
    }

    /**
     * Binds the installation to a Temporal namespace, at the first call ever.
     *
     * @return false if it is bound to another one: Temporal was emptied or exchanged, and nothing may be swept
     */
    public boolean bindNamespace(String namespaceId) {
        return jdbi.withHandle(handle -> {
            handle.execute(
                    "update installation set temporal_namespace_id = ? where temporal_namespace_id is null",
                    namespaceId);
            return handle.createQuery("select temporal_namespace_id = :id and id = :installation from installation")
                    .bind("id", namespaceId)
                    .bind("installation", id)
                    .mapTo(Boolean.class)
                    .one();
        });
    }

    /** An operator's word that the new namespace is right. */
    public void rebindNamespace(String namespaceId) {
        jdbi.useHandle(handle -> handle.execute("update installation set temporal_namespace_id = ?", namespaceId));
    }

    private static String fresh() {
        SecureRandom random = new SecureRandom();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < LENGTH; i++) {
            text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        return text.toString();
    }
}
