package dev.mayfly.agent.claim;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A broker with one slot, for the tests of what it does. */
abstract class ClaimTest {

    @TempDir
    Path folder;

    ClaimFixture fixture;
    FakeGitLab gitlab;
    FakeControlPlane controlPlane;
    FakeVm vm;

    @BeforeEach
    final void start() throws IOException {
        fixture = new ClaimFixture(folder);
        gitlab = fixture.gitlab;
        controlPlane = fixture.controlPlane;
        vm = fixture.vm;
    }

    @AfterEach
    final void stop() {
        fixture.close();
    }
}
