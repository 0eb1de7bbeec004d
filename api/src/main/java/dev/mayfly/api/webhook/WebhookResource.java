package dev.mayfly.api.webhook;

import com.codahale.metrics.annotation.ResponseMetered;
import dev.mayfly.activities.inbox.Inbox;
import dev.mayfly.api.rest.Problem;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code POST /webhooks/gitlab/{instance}}. Promises: what is answered 200 is stored, and everything authentic is
 * answered 200, whatever it holds, since GitLab disables webhooks that answer errors. 401 if it is not authentic, 413 if
 * its body is over the limit. Acting on it comes later.
 */
@Path("/webhooks/gitlab/{instance}")
public final class WebhookResource {

    private static final Logger LOG = LoggerFactory.getLogger(WebhookResource.class);
    private static final int LONGEST_KEY = 200;

    private final Map<String, WebhookAuthentication> instances;
    private final int maxBody;
    private final Inbox inbox;
    private final Runnable stored;

    /**
     * Made by the wiring.
     *
     * @param instances who may send, by configured name
     * @param maxBody bytes
     * @param stored called after something was stored, to lose no time
     */
    public WebhookResource(Map<String, WebhookAuthentication> instances, int maxBody, Inbox inbox, Runnable stored) {
        this.instances = Map.copyOf(instances);
        this.maxBody = maxBody;
        this.inbox = inbox;
        this.stored = stored;
    }

    /** Takes one webhook. */
    @POST
    @ResponseMetered
    @Consumes(MediaType.WILDCARD)
    public Response receive(
            @PathParam("instance") String instance,
            @HeaderParam("Idempotency-Key") @Nullable String idempotencyKey,
            @HeaderParam("Content-Length") @Nullable Long length,
            @Context HttpHeaders headers,
            InputStream content)
            throws IOException {
        WebhookAuthentication authentication = instances.get(instance);
        if (authentication == null) {
            return Problem.of(
                            404,
                            "no GitLab instance of this name is configured; the configuration's names are the "
                                    + "last part of a webhook's URL")
                    .response();
        }
        byte[] body = length != null && length > maxBody ? null : content.readNBytes(maxBody + 1);
        if (body == null || body.length > maxBody) {
            LOG.warn(
                    "webhook of {}: refused: its body is over the limit of {} bytes (webhook.maxBody)",
                    instance,
                    maxBody);
            return Problem.of(413, "the body is over the limit of %d bytes".formatted(maxBody))
                    .response();
        }
        var proof = new WebhookAuthentication.Proof(
                headers.getHeaderString("webhook-id"),
                headers.getHeaderString("webhook-timestamp"),
                headers.getHeaderString("webhook-signature"),
                headers.getHeaderString("X-Gitlab-Token"));
        String refusal = authentication.refuse(proof, body);
        if (refusal != null) {
            LOG.warn("webhook of {}: refused: {}", instance, refusal);
            return Problem.of(401, "the webhook is not authentic: " + refusal).response();
        }
        store(instance, deliveryKey(proof, idempotencyKey, body), body, headers);
        return Response.ok().build();
    }

    private void store(String instance, String key, byte[] body, HttpHeaders headers) {
        String event = headers.getHeaderString("X-Gitlab-Event");
        if (inbox.put(instance, key, body, event == null ? Map.of() : Map.of("x-gitlab-event", event))) {
            stored.run();
        } else {
            LOG.info("webhook {} of {}: ignored: it was delivered before", key, instance);
        }
    }

    /**
     * The same for the same event, however often GitLab sends it. A signed id is worth more than an unsigned one. GitLab
     * before 17.4 sends none, but repeats an event byte for byte; job, status and count of retries would not do, for a
     * job may become pending again, and an event that is handled twice costs one question to GitLab.
     */
    private static String deliveryKey(WebhookAuthentication.Proof proof, @Nullable String idempotencyKey, byte[] body) {
        String key = proof.signature() != null && proof.id() != null ? proof.id() : idempotencyKey;
        if (key != null && !key.isBlank()) {
            return key.length() <= LONGEST_KEY ? key : sha256(key.getBytes(StandardCharsets.UTF_8));
        }
        return "body:" + sha256(body);
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
