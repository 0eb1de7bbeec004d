package dev.mayfly.testkit.gitlab.model;

/** A variable of a project. */
public record CiVariable(
        String key,
        String value,
        boolean file,
        boolean protectedOnly,
        boolean masked,
        boolean hidden,
        boolean raw,
        String scope) {
    @Override
    public String toString() {
        return "CiVariable[" + key + "]";
    }
}
