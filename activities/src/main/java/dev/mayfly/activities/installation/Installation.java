package dev.mayfly.activities.installation;

import org.jdbi.v3.core.Jdbi;

/** The installation's identity: one row, made once. Its id prefixes every slot and stands in every runner's note. */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class Installation {

    public Installation(Jdbi jdbi) {
        throw new UnsupportedOperationException("soon: " + jdbi);
    }

    /** Five characters {@code [a-z0-9]}, made at the first call ever. */
    public String id() {
        throw new UnsupportedOperationException("soon");
    }

    /**
     * Binds the installation to a Temporal namespace, at the first call ever.
     *
     * @return false if it is bound to another one: Temporal was emptied or exchanged, and nothing may be swept
     */
    public boolean bindNamespace(String namespaceId) {
        throw new UnsupportedOperationException("soon: " + namespaceId);
    }

    /** An operator's word that the new namespace is right. */
    public void rebindNamespace(String namespaceId) {
        throw new UnsupportedOperationException("soon: " + namespaceId);
    }
}
