package dev.mayfly.activities.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.testkit.gitlab.SimulatedGitLab;
import dev.mayfly.testkit.gitlab.SimulatedGitLabOptions;
import java.nio.file.Path;
import java.util.List;
import org.gitlab4j.api.GitLabApi;
import org.gitlab4j.api.models.Project;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Without it each of these requests builds a runtime of its own. */
class SharedHttpRuntimeTest {

    @TempDir
    Path work;

    @Test
    void allRequestsOfAClientUseOneRuntime() throws Exception {
        try (SimulatedGitLab server = SimulatedGitLab.start(SimulatedGitLabOptions.plainOnLoopback(work));
                GitLabs clients = new GitLabs(List.of(new GitLabInstanceConfig(
                        "gl", server.url(), null, server.rootToken(), List.of(), List.of())))) {
            GitLabApi api = clients.api("gl");
            int before = CountedRuntimes.BUILT.get();
            api.getVersion();
            Project project = api.getProjectApi().createProject("one");
            api.getProjectApi().getProjects("one");
            assertThat(api.getJobApi().getJobs(project.getId())).isEmpty();
            api.getProjectApi().getOptionalProject(99L);
            assertThat(CountedRuntimes.BUILT.get() - before).isEqualTo(1);
        }
    }
}
