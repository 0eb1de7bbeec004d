package dev.mayfly.api.start;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.TestProject;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A flood of new jobs comes in only as fast as their workflows reach the queue; what runs is not held up by it. */
class JobFloodTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE =
            new ControlPlane(config -> config.replace("reconcileEvery: 1h", "reconcileEvery: 1s"));

    @Test
    void aJobWaitsWhileTooManyAreOnTheirWayToTheQueue(@TempDir Path work) throws Exception {
        CONTROL_PLANE.execute("""
                insert into job (key, instance, project_id, job_id, project_path, name, stage, ref, sha, pipeline_id,
                    web_url, user_name, tags, executor, status, status_rank, seen_at)
                select 'gitlab:gl:999:' || n, 'gl', 999, n, 'acme/many', 'many', 'test', 'main', 'a1b2c3', 1, 'https://x',
                    'ada', '{}', 'SHELL', 'pending', 2, now()
                from generate_series(100001, 100000 + %d) as n""".formatted(JobIntake.MOST_ON_THEIR_WAY));
        TestProject project = new TestProject(CONTROL_PLANE.gitlab(), "acme/small");
        project.push(work, """
                late: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                """);
        long job = project.job("late");
        CONTROL_PLANE.webhook("late", project.event(job, "pending"));
        ControlPlane.await(
                "the log says why nothing happens",
                () -> !CONTROL_PLANE
                        .logged("100 jobs are on their way to the queue: what else is pending waits for them")
                        .isEmpty());
        assertThat(CONTROL_PLANE.get("/api/v1/jobs/" + job).status()).isEqualTo(404);

        CONTROL_PLANE.execute("update job set queued_at = now() where job_id = 100001");
        ControlPlane.await(
                "it comes in", () -> CONTROL_PLANE.get("/api/v1/jobs/" + job).status() == 200);
    }
}
