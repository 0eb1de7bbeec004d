package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What users' jobs take for granted of a runner, through the relay: either runner must give it. */
final class JobFeaturesIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final Duration PATIENCE = Duration.ofMinutes(5);

    @Test
    void submoduleLargeFileAndVariablesOfAllKinds() {
        GitLabUser gitlab = CLUSTER.cluster().gitlabUser();
        long library = CLUSTER.createProject();
        Path librarySources = Servers.temporaryFolder("mayfly-repo-").resolve("source");
        Servers.write(librarySources.resolve("lib.txt"), "from the submodule\n");
        Path libraryRepository =
                SampleProject.repositoryOf(librarySources, librarySources.resolveSibling("repository"));
        gitlab.push(libraryRepository, library);

        long project = CLUSTER.createProject();
        gitlab.addVariable(project, Map.of("key", "SETTINGS", "value", "in a file", "variable_type", "file"));
        gitlab.addVariable(project, Map.of("key", "SECRET", "value", "half-one-half-two", "masked", true));
        Path sources = Servers.temporaryFolder("mayfly-repo-").resolve("source");
        Servers.write(sources.resolve(".gitmodules"), """
                [submodule "lib"]
                    path = lib
                    url = ../%s.git
                """.formatted(lastName(gitlab.pathOf(library))));
        Servers.write(sources.resolve(".gitlab-ci.yml"), """
                features:
                  tags: [actuated-1cpu-1gb, shell]
                  variables: {GIT_SUBMODULE_STRATEGY: recursive}
                  script:
                    - cat lib/lib.txt large.bin
                    - echo "settings are $(cat "$SETTINGS")"
                    - printf 'secret %s' "${SECRET%half-two}"; sleep 2; printf '%s\\n' "${SECRET#half-one-}"
                """);
        Path repository = SampleProject.repositoryOf(sources, sources.resolveSibling("repository"));
        addSubmodule(repository, SampleProject.git(libraryRepository, "rev-parse", "HEAD"));
        SampleProject.git(repository, "lfs", "install", "--local");
        SampleProject.git(repository, "lfs", "track", "*.bin");
        Servers.write(repository.resolve("large.bin"), "from large file storage\n");
        SampleProject.git(repository, "add", ".gitattributes", "large.bin");
        SampleProject.commitStaged(repository, "More");
        assertThat(SampleProject.git(repository, "show", "HEAD:large.bin")).startsWith("version https://git-lfs");

        PipelineRun run = CLUSTER.pushInto(project, repository);
        JobState job = ClusterExtension.awaitStatus(run, "features", "success", PATIENCE);
        assertThat(run.log(job))
                .contains("from the submodule", "from large file storage", "settings are in a file", "secret [MASKED]")
                .doesNotContain("secret half", "half-two\n"); // the command itself, which is shown, has both halves
    }

    @Test
    void aLogBeyondTheLimitIsCutAndTheJobEndsGreen() {
        PipelineRun run = CLUSTER.push("""
                loud:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - perl -e 'print "x" x 99, "\\n" for 1..200000'
                    - echo "the end is cut, too"
                """);
        JobState job = ClusterExtension.awaitStatus(run, "loud", "success", PATIENCE);
        assertThat(run.log(job))
                .hasSizeBetween(4 << 20, 5 << 20)
                .contains("exceeded limit")
                .doesNotContain("the end is cut, too");
    }

    @Test
    void afterScriptRunsWhenAJobIsCancelled() {
        PipelineRun run = CLUSTER.push("""
                cancelled:
                  tags: [actuated-1cpu-1gb, shell]
                  script: [echo "script begins", sleep 600]
                  after_script: [echo "after $CI_JOB_STATUS"]
                """);
        JobState job = ClusterExtension.awaitLog(run, "cancelled", "script begins\n");
        run.cancel(job);
        JobState ended = ClusterExtension.awaitStatus(run, "cancelled", "canceled", PATIENCE);
        if (System.getenv("MAYFLY_RUNNER").equals("embedded")) {
            assertThat(run.log(ended)).contains("after canceled");
        } // 15.4.2, the official one, is older than cancelling with grace
    }

    private static String lastName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** As {@code git submodule add} would leave it, without a clone. */
    private static void addSubmodule(Path repository, String commit) {
        SampleProject.git(repository, "update-index", "--add", "--cacheinfo", "160000," + commit + ",lib");
    }
}
