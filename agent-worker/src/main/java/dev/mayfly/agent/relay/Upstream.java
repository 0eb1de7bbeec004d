package dev.mayfly.agent.relay;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.net.URI;
import java.time.Duration;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * A GitLab instance as the relay reaches it.
 *
 * @param pathPrefix the path under which GitLab lives, empty or {@code /gitlab}
 * @param tls null for plain http
 */
public record Upstream(
        String host, int port, String pathPrefix, @Nullable SslContext tls, Duration connectTimeout) {

    /** @param base the instance's URL, without {@code /api/v4} and without a slash at its end */
    public static Upstream of(URI base, TrustManagerFactory trust, Duration connectTimeout) throws SSLException {
        boolean https = "https".equals(base.getScheme());
        SslContext tls =
                https ? SslContextBuilder.forClient().trustManager(trust).build() : null;
        int port = base.getPort() > 0 ? base.getPort() : https ? 443 : 80;
        return new Upstream(base.getHost(), port, base.getRawPath(), tls, connectTimeout);
    }

    /** The {@code Host} header of requests to it. */
    String authority() {
        return port == (tls != null ? 443 : 80) ? host : host + ":" + port;
    }
}
