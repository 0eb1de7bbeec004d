package dev.mayfly.testkit.gitlab.ci;

import java.util.List;
import java.util.Optional;

/** The files of the commit that a pipeline is made for. */
public interface CommitFiles {
    Optional<String> read(String path);

    List<String> list();

    /** Files that the push changed, or empty if that cannot be told (a new branch): then every {@code changes} is true. */
    Optional<List<String>> changed();
}
