package dev.mayfly.activities.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mayfly.activities.capacity.WithFleet;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.JobInGitLab;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class GitLabJobsTest extends WithFleet {

    private static final String YAML = """
            one: {tags: [actuated-2cpu, shell], script: x}
            two: {tags: [actuated-2cpu, shell], script: x}
            """;

    @TempDir
    Path work;

    private OnGitLab gitlab;
    private GitLabs clients;

    @BeforeEach
    void start() throws IOException {
        gitlab = new OnGitLab(work);
        clients = gitlab.clients(null);
    }

    @AfterEach
    void stop() {
        clients.close();
        gitlab.close();
    }

    @Test
    void aJobsFactsAreReadWithItsTags() throws Exception {
        JobKey one = gitlab.push(YAML).get(0);

        assertThat(jobs().getJob(one)).hasValueSatisfying(facts -> {
            assertThat(facts.key()).isEqualTo(one);
            assertThat(facts.status()).isEqualTo("pending");
            assertThat(facts.tags()).containsExactly("actuated-2cpu", "shell");
            assertThat(facts.projectPath()).isEqualTo("acme/app");
            assertThat(facts.name()).isEqualTo("one");
            assertThat(facts.runnerId()).isNull();
        });
        assertThat(jobs().getJob(new JobKey("gl", gitlab.project, 999))).isEmpty();
    }

    @Test
    void aJobIsAtNoRunnerAtOursOrAtAForeignOne() throws Exception {
        List<JobKey> pushed = gitlab.push(YAML);
        CiJob job = OnGitLab.ciJob(pushed.get(0), "actuated-2cpu", "shell");
        fleet.host("a", 1);
        Holding slot = fleet.holds(job);
        assertThat(jobs().lookUpJob(pushed.get(0))).isEqualTo(new JobInGitLab("pending", At.NO_RUNNER));

        runners().ensure(slot.slotId(), job, false);
        gitlab.take(gitlab.issued("runner").get(0));
        assertThat(jobs().lookUpJob(pushed.get(0)).at()).isEqualTo(At.OUR_RUNNER);

        gitlab.take(gitlab.foreignRunner("theirs", "actuated-2cpu", "shell"));
        assertThat(jobs().lookUpJob(pushed.get(1)).at()).isEqualTo(At.FOREIGN_RUNNER);
        assertThat(jobs().lookUpJob(new JobKey("gl", gitlab.project, 999)))
                .isEqualTo(new JobInGitLab("gone", At.NO_RUNNER));
    }

    @Test
    void cancellingIsRepeatableAndLeavesAnEndedJobAlone() throws Exception {
        JobKey one = gitlab.push(YAML).get(0);

        jobs().cancelJob(one);
        jobs().cancelJob(one);

        assertThat(gitlab.job(one).path("status").asText()).isEqualTo("canceled");
        jobs().cancelJob(new JobKey("gl", gitlab.project, 999));
    }

    @Test
    void activeJobsAreThoseThatWaitOrRun() throws Exception {
        List<JobKey> pushed = gitlab.push(YAML);
        jobs().cancelJob(pushed.get(1));

        assertThat(jobs().activeJobs("gl", gitlab.project))
                .extracting(JobFacts::key)
                .containsExactly(pushed.get(0));
        assertThat(jobs().activeJobs("gl", 999)).as("a project that is gone").isEmpty();
    }

    @Test
    void anOutageIsUnavailableAndItsRetryAfterIsHonoured() throws Exception {
        JobKey one = gitlab.push(YAML).get(0);

        gitlab.faults(Map.of("path", "/api/v4/projects", "status", 502));
        ApplicationFailure bad = failure(clients, jobs -> jobs.getJob(one));
        assertThat(bad.getType()).isEqualTo(FailureType.GITLAB_UNAVAILABLE.name());
        assertThat(bad.getNextRetryDelay()).isNull();

        gitlab.faults(Map.of("path", "/api/v4/projects", "status", 429, "retryAfter", 7));
        ApplicationFailure limited = failure(clients, jobs -> jobs.getJob(one));
        assertThat(limited.getType()).isEqualTo(FailureType.GITLAB_UNAVAILABLE.name());
        assertThat(limited.getNextRetryDelay()).isEqualTo(Duration.ofSeconds(7));

        gitlab.faults(Map.of("path", "/api/v4/projects", "status", -1));
        assertThat(failure(clients, jobs -> jobs.getJob(one)).getType())
                .as("a connection that ends without an answer")
                .isEqualTo(FailureType.GITLAB_UNAVAILABLE.name());
    }

    @Test
    void aWrongTokenAndAMissingScopeAreRefusedWithTheirCures() throws Exception {
        JobKey one = gitlab.push(YAML).get(0);
        try (GitLabs wrong = gitlab.clients("glpat-wrong");
                GitLabs narrow = gitlab.clients(gitlab.accessToken(50, "read_user"));
                GitLabs lowly = gitlab.clients(gitlab.accessToken(10, "api"))) {
            ApplicationFailure unknown = failure(wrong, jobs -> jobs.getJob(one));
            assertThat(unknown.getType()).isEqualTo(FailureType.GITLAB_REFUSED.name());
            assertThat(unknown.getOriginalMessage())
                    .contains("configure a valid one")
                    .doesNotContain("glpat-wrong");

            assertThat(failure(narrow, jobs -> jobs.getJob(one)).getOriginalMessage())
                    .contains("lacks the scope api");
            assertThat(failure(lowly, jobs -> jobs.getJob(one)).getOriginalMessage())
                    .contains("Maintainer or Owner");
        }
    }

    @Test
    @Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
    void aServerThatNeverAnswersIsGivenUpByEveryClient() throws Exception {
        try (ServerSocket silent = new ServerSocket(0)) {
            bothClientsGiveUp("http://127.0.0.1:" + silent.getLocalPort());
        }
    }

    @Test
    @Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
    void aServerThatTakesNoConnectionIsGivenUpByEveryClient() throws Exception {
        List<Socket> filling = new ArrayList<>();
        try (ServerSocket full = new ServerSocket(0, 1)) {
            fill(full, filling);
            bothClientsGiveUp("http://127.0.0.1:" + full.getLocalPort());
        } finally {
            for (Socket socket : filling) {
                socket.close();
            }
        }
    }

    /** Until its queue is full and connections hang. */
    private static void fill(ServerSocket server, List<Socket> filling) throws IOException {
        while (true) {
            Socket socket = new Socket();
            filling.add(socket);
            try {
                socket.connect(server.getLocalSocketAddress(), 300);
            } catch (java.net.SocketTimeoutException full) {
                return;
            }
        }
    }

    private void bothClientsGiveUp(String url) {
        JobKey job = new JobKey("gl", 7, 10);
        try (GitLabs impatient = OnGitLab.clients(url, "glpat-x", Duration.ofMillis(500))) {
            long begin = System.nanoTime();
            assertThat(failure(impatient, jobs -> jobs.getJob(job)).getType())
                    .isEqualTo(FailureType.GITLAB_UNAVAILABLE.name());
            ApplicationFailure lost = catchThrowableOfType(
                    ApplicationFailure.class, () -> new LostJobs(impatient).fail(job, "glcbt-x", "why"));
            assertThat(lost.getType()).isEqualTo(FailureType.GITLAB_UNAVAILABLE.name());
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
        }
    }

    @Test
    void theConfiguredTimeoutsAreShort() {
        GitLabInstanceConfig config =
                new GitLabInstanceConfig("gl", "http://127.0.0.1:1", null, "glpat-x", List.of(), List.of());
        try (GitLabs standard = new GitLabs(List.of(config))) {
            assertThat(standard.connectTimeout()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(10));
            assertThat(standard.readTimeout()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(30));
        }
        assertThat(config.toString()).doesNotContain("glpat");
    }

    private ApplicationFailure failure(GitLabs with, Function<GitLabJobs, ?> call) {
        return catchThrowableOfType(ApplicationFailure.class, () -> call.apply(jobs(with)));
    }

    private GitLabJobs jobs() {
        return jobs(clients);
    }

    private static GitLabJobs jobs(GitLabs with) {
        return new GitLabJobs(
                fleet.database.jdbi(), fleet.clock, with, fleet.sealer, fleet.installation.id(), Duration.ofHours(2));
    }

    private ProjectRunners runners() {
        return new ProjectRunners(
                fleet.database.jdbi(),
                fleet.clock,
                clients,
                fleet.sealer,
                fleet.installation.id(),
                Duration.ofHours(2));
    }
}
