package dev.mayfly.testkit.gitlab.ci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.testkit.gitlab.ci.JobSeed.Need;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a {@code .gitlab-ci.yml} means, by GitLab's documentation of its keywords. */
class CiConfigTest {
    private final Map<String, String> files = new LinkedHashMap<>();
    private final Map<String, String> predefined = new LinkedHashMap<>(Map.of("CI_COMMIT_BRANCH", "main"));

    @Test
    void jobsComeInTheOrderOfTheirStages() {
        PipelineSeed seed = seed("""
                stages: [one, two]
                b: {stage: two, script: b}
                a: {stage: one, script: a}
                last: {stage: .post, script: x}
                """);
        assertThat(seed.jobs()).extracting(JobSeed::name).containsExactly("a", "b", "last");
        assertThat(seed.stages()).containsExactly("one", "two", ".post");
    }

    @Test
    void defaultsGoIntoJobsUnlessTheySayOtherwise() {
        PipelineSeed seed = seed("""
                default: {tags: [actuated], before_script: [setup], image: alpine, retry: 1}
                own: {script: [run], tags: [other], before_script: []}
                plain: {script: [run]}
                apart: {script: [run], inherit: {default: [tags]}}
                """);
        assertThat(job(seed, "plain").tags()).containsExactly("actuated");
        assertThat(job(seed, "plain").script()).containsExactly("setup", "run");
        assertThat(job(seed, "plain").image()).containsEntry("name", "alpine");
        assertThat(job(seed, "own").tags()).containsExactly("other");
        assertThat(job(seed, "own").script()).containsExactly("run");
        assertThat(job(seed, "apart").tags()).containsExactly("actuated");
        assertThat(job(seed, "apart").image()).isNull();
        assertThat(job(seed, "apart").retry().max()).isZero();
    }

    @Test
    void extendsMergesMapsAndReplacesLists() {
        PipelineSeed seed = seed("""
                .far: {variables: {A: far, B: far}, tags: [far]}
                .near: {extends: .far, variables: {B: near}}
                job: {extends: .near, script: x, variables: {C: own}, tags: [own]}
                """);
        assertThat(values(job(seed, "job")))
                .containsEntry("A", "far")
                .containsEntry("B", "near")
                .containsEntry("C", "own");
        assertThat(job(seed, "job").tags()).containsExactly("own");
        assertThat(seed.jobs()).hasSize(1);
    }

    @Test
    void localFilesAreIncludedAndTheMainFileWins() {
        files.put("ci/base.yml", "base: {script: base}\nvariables: {WHO: base}\n");
        files.put("ci/more.yml", "more: {script: more}\n");
        PipelineSeed seed = seed("""
                include: [{local: /ci/base.yml}, 'ci/m*.yml']
                variables: {WHO: main}
                own: {script: own}
                """);
        assertThat(seed.jobs()).extracting(JobSeed::name).containsExactlyInAnyOrder("base", "more", "own");
        assertThat(values(job(seed, "base"))).containsEntry("WHO", "main");
        assertError("include: nowhere.yml\na: {script: x}", "Local file `nowhere.yml` does not exist!");
    }

    @Test
    void referencesAreReplacedByWhatTheyNameAndScriptsStayFlat() {
        PipelineSeed seed = seed("""
                .steps: {script: [one, two]}
                job: {script: [!reference [.steps, script], three]}
                """);
        assertThat(job(seed, "job").script()).containsExactly("one", "two", "three");
    }

    @Test
    void theFirstRuleThatHoldsDecides() {
        PipelineSeed seed = seed("""
                holds: {script: x, rules: [{if: '$CI_COMMIT_BRANCH == "main"', when: manual, variables: {R: rule}}]}
                no: {script: x, rules: [{if: '$CI_COMMIT_BRANCH == "other"'}]}
                never: {script: x, rules: [{if: '$CI_COMMIT_BRANCH', when: never}, {when: always}]}
                regex: {script: x, rules: [{if: '$CI_COMMIT_BRANCH =~ /^ma/ && ($NONE == null || $NONE)'}]}
                """);
        assertThat(seed.jobs()).extracting(JobSeed::name).containsExactly("holds", "regex");
        assertThat(job(seed, "holds").when()).isEqualTo("manual");
        assertThat(job(seed, "holds").allowFailure()).isFalse();
        assertThat(values(job(seed, "holds"))).containsEntry("R", "rule");
    }

    @Test
    void rulesLookForFiles() {
        files.put("src/main/App.java", "");
        PipelineSeed seed = seed("""
                there: {script: x, rules: [{exists: ['src/**/*.java']}]}
                missing: {script: x, rules: [{exists: [Dockerfile]}]}
                """);
        assertThat(seed.jobs()).extracting(JobSeed::name).containsExactly("there");
    }

    @Test
    void onlyAndExceptAreUnderstood() {
        PipelineSeed seed = seed("""
                branch: {script: x, only: [branches]}
                tag: {script: x, only: [tags]}
                notmain: {script: x, except: [main]}
                regex: {script: x, only: [/^m.*n$/]}
                """);
        assertThat(seed.jobs()).extracting(JobSeed::name).containsExactly("branch", "regex");
    }

    @Test
    void workflowRulesMayLeaveNoPipeline() {
        assertThat(seed("workflow: {rules: [{if: $NOTHING}]}\na: {script: x}").jobs())
                .isEmpty();
        PipelineSeed seed = seed("workflow: {rules: [{when: always, variables: {W: wide}}]}\na: {script: x}");
        assertThat(values(job(seed, "a"))).containsEntry("W", "wide");
    }

    @Test
    void parallelMakesNumberedAndMatrixJobs() {
        PipelineSeed seed = seed("""
                n: {script: x, parallel: 3}
                m: {script: x, tags: ['$ARCH'], parallel: {matrix: [{ARCH: [a, b], OS: x}, {ARCH: c}]}}
                """);
        assertThat(seed.jobs())
                .extracting(JobSeed::name)
                .containsExactly("n 1/3", "n 2/3", "n 3/3", "m: [a, x]", "m: [b, x]", "m: [c]");
        assertThat(job(seed, "n 2/3").parallelIndex()).isEqualTo(2);
        assertThat(values(job(seed, "m: [b, x]"))).containsEntry("ARCH", "b").containsEntry("OS", "x");
    }

    @Test
    void aNeedOfAParallelJobMeansEveryOneOfThem() {
        PipelineSeed seed = seed("""
                stages: [build, test]
                b: {stage: build, script: x, parallel: 2}
                t: {stage: test, script: x, needs: [{job: b, artifacts: false}, {job: gone, optional: true}]}
                gone: {stage: build, script: x, rules: [{when: never}]}
                """);
        assertThat(job(seed, "t").needs())
                .containsExactly(new Need("b 1/2", false, false), new Need("b 2/2", false, false));
        assertError("t: {script: x, needs: [nobody]}", "undefined need: nobody");
        assertError(
                "t: {script: x, needs: [gone]}\ngone: {script: x, rules: [{when: never}]}",
                "'gone' does not exist in the pipeline");
    }

    @Test
    void timeoutsRetriesAndAllowedFailures() {
        PipelineSeed seed = seed("""
                a: {script: x, timeout: 1h 30m, retry: {max: 2, when: [runner_system_failure], exit_codes: 137}}
                b: {script: x, allow_failure: {exit_codes: [3, 4]}}
                c: {script: x, when: manual}
                d: {script: x, when: delayed, start_in: 2 minutes}
                """);
        assertThat(job(seed, "a").timeoutSeconds()).isEqualTo(5400);
        assertThat(job(seed, "a").retry().covers("runner_system_failure", null)).isTrue();
        assertThat(job(seed, "a").retry().covers("script_failure", 137)).isTrue();
        assertThat(job(seed, "a").retry().covers("script_failure", 1)).isFalse();
        assertThat(job(seed, "b").allowFailureExitCodes()).containsExactlyInAnyOrder(3, 4);
        assertThat(job(seed, "b").allowFailure()).isFalse();
        assertThat(job(seed, "c").allowFailure()).isTrue();
        assertThat(job(seed, "d").startInSeconds()).isEqualTo(120);
    }

    @Test
    void theNearerVariableWins() {
        PipelineSeed seed = seed("""
                variables: {A: global, B: global, C: {value: raw$x, expand: false}}
                j: {script: x, variables: {B: job}}
                k: {script: x, inherit: {variables: false}}
                """);
        assertThat(values(job(seed, "j"))).containsEntry("A", "global").containsEntry("B", "job");
        assertThat(job(seed, "j").variables()).anyMatch(one -> one.key().equals("C") && one.raw());
        assertThat(values(job(seed, "k"))).isEmpty();
    }

    @Test
    void artifactsAndReportsGetTheRunnersShape() {
        JobSeed job = job(seed("""
                j:
                  script: x
                  artifacts: {paths: [out], exclude: [out/tmp], expire_in: 1 week, reports: {junit: r.xml}}
                """), "j");
        assertThat(job.artifacts()).hasSize(2);
        assertThat(job.artifacts().get(0))
                .containsEntry("artifact_type", "archive")
                .containsEntry("paths", List.of("out"))
                .containsEntry("exclude", List.of("out/tmp"));
        assertThat(job.artifacts().get(1))
                .containsEntry("artifact_type", "junit")
                .containsEntry("artifact_format", "gzip")
                .containsEntry("when", "always");
    }

    @Test
    void mistakesAreNamed() {
        assertError("a: [1", "(<unknown>)");
        assertError("a: {scrpt: x}", "unknown keys: scrpt");
        assertError("a: {tags: [x]}", "should implement the script:");
        assertError("a: {script: x, stage: nowhere}", "chosen stage nowhere does not exist");
        assertError("a: {script: x, tags: text}", "tags config should be an array of strings");
        assertError("a: {script: x, when: sometime}", "when should be one of");
        assertError("a: {extends: .b, script: x}\n.b: {extends: .c}\n.c: {extends: .b}", "circular dependency");
        assertError(".a: {script: x}", "at least one visible job");
        assertError("a: {script: x, retry: 3}", "retry max must be an integer between 0 and 2");
        assertError("a: {script: x, rules: [{if: '$A == '}]}", "invalid expression syntax");
        assertError("a: {script: x, timeout: soon}", "timeout should be a duration");
    }

    private PipelineSeed seed(String yaml) {
        files.put(CiConfig.FILE, yaml);
        CommitFiles commit = new CommitFiles() {
            @Override
            public Optional<String> read(String path) {
                return Optional.ofNullable(files.get(path));
            }

            @Override
            public List<String> list() {
                return List.copyOf(files.keySet());
            }

            @Override
            public Optional<List<String>> changed() {
                return Optional.empty();
            }
        };
        return new CiConfig(commit, "main", false, "push", variables -> {
                    Map<String, String> all = new LinkedHashMap<>(predefined);
                    all.putAll(variables);
                    return all;
                })
                .seed();
    }

    private void assertError(String yaml, String words) {
        assertThatThrownBy(() -> seed(yaml))
                .isInstanceOf(CiConfigException.class)
                .hasMessageContaining(words);
    }

    private static JobSeed job(PipelineSeed seed, String name) {
        return seed.jobs().stream()
                .filter(job -> job.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no job " + name + " in " + seed));
    }

    private static Map<String, String> values(JobSeed job) {
        Map<String, String> values = new LinkedHashMap<>();
        job.variables().forEach(one -> values.put(one.key(), one.value()));
        return values;
    }
}
