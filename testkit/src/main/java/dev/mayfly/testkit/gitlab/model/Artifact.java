package dev.mayfly.testkit.gitlab.model;

import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A file that a build uploaded; {@code type} is {@code archive}, {@code metadata}, {@code junit}, …. */
public record Artifact(
        String type,
        String format,
        String filename,
        Path file,
        long size,
        String sha256,
        @Nullable Instant expireAt) {}
