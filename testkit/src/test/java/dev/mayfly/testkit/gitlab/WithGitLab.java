package dev.mayfly.testkit.gitlab;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A fresh simulated GitLab for each test. */
abstract class WithGitLab {
    @TempDir
    Path work;

    TestGitLab gitlab;

    @BeforeEach
    final void startGitLab() throws IOException {
        gitlab = new TestGitLab(work);
    }

    @AfterEach
    final void stopGitLab() {
        gitlab.close();
    }
}
