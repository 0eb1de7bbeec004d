package dev.mayfly.agent.registry;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What of the registry protocol a guest may ask for: a manifest or a blob, to look or to read. Whatever is written in
 * another way than docker writes it (queries, escapes, dots) means nothing here. Pure.
 *
 * @param kind {@code manifests} or {@code blobs}
 * @param reference tag or digest
 */
record RegistryRequest(String kind, Repository repository, String reference) {

    /** Asked first by every client: whether a registry is there at all. */
    static final String BASE = "/v2/";

    /** Forms of a tag and of a digest, as distribution's specification has them. */
    static final String TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";

    static final String DIGEST = "sha256:[0-9a-f]{64}";
    private static final Pattern FORM = Pattern.compile(
            "/v2/([a-z0-9._/-]+)/(?:(manifests)/(" + TAG + "|" + DIGEST + ")|(blobs)/(" + DIGEST + "))");

    /** What the target of a request means; empty if nothing that a guest may ask for. */
    static Optional<RegistryRequest> parse(String uri) {
        Matcher form = FORM.matcher(uri);
        if (!form.matches()) {
            return Optional.empty();
        }
        boolean manifest = form.group(2) != null;
        String kind = manifest ? form.group(2) : form.group(4);
        String reference = manifest ? form.group(3) : form.group(5);
        return Repository.named(form.group(1)).map(repository -> new RegistryRequest(kind, repository, reference));
    }

    boolean isManifest() {
        return kind.equals("manifests");
    }

    /** Where the registry of preloaded images has it. */
    String preloaded() {
        return target(repository.path());
    }

    /** Where the registry that passes an upstream's images through has it. */
    String passedThrough() {
        return target(repository.atUpstream());
    }

    private String target(String path) {
        return "/v2/%s/%s/%s".formatted(path, kind, reference);
    }

    /** For people: the image. */
    @Override
    public String toString() {
        return repository.path() + (reference.startsWith("sha256:") ? "@" : ":") + reference;
    }
}
