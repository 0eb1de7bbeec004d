package dev.mayfly.api.start;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.db.Database;
import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.gitlab.GitLabInstanceConfig;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.activities.jobs.Jobs.Project;
import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.TestProject;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A project none of whose webhooks ever came. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class ReconcilerTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE =
            new ControlPlane(config -> config.replace("reconcileEvery: 1h", "reconcileEvery: 1s"));

    @Test
    @Order(1)
    void itsPendingJobsAreFoundAllTheSame(@TempDir Path work) {
        TestProject project = new TestProject(CONTROL_PLANE.gitlab(), "acme/silent");
        project.push(work, """
                ours: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                foreign: {tags: [docker], script: "true"}
                """);
        ControlPlane.await(
                "the job is known",
                () -> CONTROL_PLANE.get("/api/v1/jobs/" + project.job("ours")).status() == 200);
        assertThat(CONTROL_PLANE.get("/api/v1/jobs/" + project.job("foreign")).status())
                .isEqualTo(404);
        ControlPlane.await(
                "a line that says so",
                () -> CONTROL_PLANE
                                .logged(":" + project.job("ours") + ": found by asking GitLab")
                                .size()
                        == 1);
        assertThat(CONTROL_PLANE.logged("gitlab:gl:%d:%d:".formatted(project.id(), project.job("foreign"))))
                .as("not a line for each look")
                .isEmpty();
    }

    @Test
    @Order(2)
    void allProjectsAreNamedInTurnAndOnlySoManyAtATime() {
        for (int i = 0; i < MemberProjects.AT_A_TIME + 5; i++) {
            new TestProject(CONTROL_PLANE.gitlab(), "acme/many-" + i);
        }
        var postgres = CONTROL_PLANE.postgres();
        var instance = new GitLabInstanceConfig(
                "gl", CONTROL_PLANE.gitlab().url(), null, CONTROL_PLANE.gitlab().rootToken(), List.of(), List.of());
        try (Database database =
                        Database.open(new DatabaseConfig(postgres.url(), postgres.user(), postgres.password(), 3));
                GitLabs gitlabs = new GitLabs(List.of(instance))) {
            MemberProjects members = new MemberProjects(
                    List.of("gl"),
                    new GitLabJobs(
                            database.jdbi(),
                            Clock.systemUTC(),
                            gitlabs,
                            new Sealer("k", new byte[32]),
                            "abcde",
                            Duration.ofHours(1)));
            List<Project> first = members.next();
            List<Project> second = members.next();
            assertThat(first).hasSize(MemberProjects.AT_A_TIME);
            Set<Project> both = new HashSet<>(first);
            both.addAll(second);
            assertThat(both).hasSize(MemberProjects.AT_A_TIME + 6).hasSize(first.size() + second.size());
            assertThat(members.next()).as("then from the beginning").isEqualTo(first);
        }
    }
}
