package dev.mayfly.activities.db;

/**
 * How to reach PostgreSQL.
 *
 * @param url JDBC URL, {@code jdbc:postgresql://host:port/name}
 * @param poolSize most connections of this process, wake-up connections apart
 */
public record DatabaseConfig(String url, String user, String password, int poolSize) {

    @Override
    public String toString() {
        return "DatabaseConfig[url=%s, user=%s, password=[redacted], poolSize=%d]".formatted(url, user, poolSize);
    }
}
