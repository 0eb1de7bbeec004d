package dev.mayfly.demo;

/** What the long variants of system tests, {@code bin/test --all}, do more of. */
final class SystemTests {

    /** Tag of those that take minutes, most of it waiting: only {@code bin/test --all} and {@code --only} run them. */
    static final String LONG = "long";

    private static final boolean ALL = Boolean.getBoolean("mayfly.all");

    /** Size of an artifact whose transfer takes long enough to be interrupted. */
    static final int BIG_ARTIFACT_MIB = ALL ? 200 : 48;

    private SystemTests() {}
}
