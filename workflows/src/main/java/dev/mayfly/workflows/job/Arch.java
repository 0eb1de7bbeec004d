package dev.mayfly.workflows.job;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Architecture of a host, of its images, and of what a job asks for. In tags, JSON and PostgreSQL it stands as {@link #tag}. */
public enum Arch {
    X86_64("x86_64"),
    ARM64("arm64");

    private final String tag;

    Arch(String tag) {
        this.tag = tag;
    }

    /** {@code x86_64} or {@code arm64}. */
    @JsonValue
    public String tag() {
        return tag;
    }

    /** The inverse of {@link #tag}; throws {@code IllegalArgumentException} for anything else. */
    @JsonCreator
    public static Arch ofTag(String tag) {
        return Arrays.stream(values())
                .filter(arch -> arch.tag.equals(tag))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'%s' is no architecture; one of %s is"
                        .formatted(tag, Arrays.stream(values()).map(Arch::tag).collect(Collectors.joining(", ")))));
    }
}
