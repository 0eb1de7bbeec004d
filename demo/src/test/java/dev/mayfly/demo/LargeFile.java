package dev.mayfly.demo;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A file in large file storage.
 *
 * @param oid SHA-256 of the content
 */
record LargeFile(String content, String oid) {

    static LargeFile of(String content) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
            return new LargeFile(content, HexFormat.of().formatHex(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** What the commit holds instead. */
    String pointer() {
        return "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n"
                .formatted(oid, content.getBytes(StandardCharsets.UTF_8).length);
    }

    void upload(GitLabUser gitlab, long project) {
        gitlab.uploadLargeFile(project, oid, content);
    }
}
