package dev.mayfly.activities.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.WithFleet;
import dev.mayfly.testkit.MovableClock;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class StandInRunnersTest extends WithFleet {

    private static final Duration NOT_LONG = StandInRunners.AFTER.minusMinutes(1);

    @TempDir
    Path work;

    private final MovableClock gitlabsClock = new MovableClock();
    private OnGitLab gitlab;
    private GitLabs clients;
    private StandInRunners standIns;
    private JobKey pending;
    private JobKey foreign;
    private CiJob job;

    @BeforeEach
    void aJobWaitsInTheQueue() throws IOException {
        gitlab = new OnGitLab(work, gitlabsClock);
        clients = gitlab.clients(null);
        standIns = new StandInRunners(fleet.database.jdbi(), fleet.clock, clients, fleet.installation.id());
        List<JobKey> jobs = gitlab.push("""
                one: {tags: [actuated-2cpu, shell], script: "true"}
                foreign: {tags: [nobodys], script: "true"}
                """);
        pending = jobs.get(0);
        foreign = jobs.get(1);
        job = OnGitLab.ciJob(pending, "actuated-2cpu", "shell");
        fleet.capacity.hold(job);
    }

    @AfterEach
    void stop() {
        clients.close();
        gitlab.close();
    }

    private void pass(Duration time) {
        fleet.clock.pass(time);
        gitlabsClock.pass(time);
    }

    private String status(JobKey of) {
        return gitlab.job(of).path("status").asText();
    }

    /** GitLab looks for such jobs twice a second here. */
    private void awaitTheDropOf(JobKey nobodys) throws InterruptedException {
        while (!status(nobodys).equals("failed")) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    @Test
    void theJobIsPendingForAsLongAsItWaitsAndItsRunnerIsExchangedInTime() throws InterruptedException {
        pass(NOT_LONG);
        standIns.renew();
        assertThat(gitlab.runners()).as("most jobs wait for less").isEmpty();
        Set<Long> runners = new HashSet<>();
        for (int minutes = 0; minutes < 600; minutes += 10) {
            pass(Duration.ofMinutes(10));
            standIns.renew();
            assertThat(gitlab.runners()).hasSize(1);
            long runner = gitlab.runners().get(0);
            runners.add(runner);
            assertThat(gitlab.runner(runner).path("status").asText()).isEqualTo("online");
        }
        assertThat(runners).as("in the first round after 80 minutes").hasSize(7);
        awaitTheDropOf(foreign);
        assertThat(status(pending)).isEqualTo("pending");
    }

    @Test
    void itIsRemovedOnceNobodyWaits() {
        pass(Duration.ofMinutes(21));
        standIns.renew();
        assertThat(gitlab.runners()).hasSize(1);
        fleet.host("a", 1);
        fleet.capacity.dispatch();
        standIns.renew();
        assertThat(gitlab.runners()).isEmpty();
    }

    @Test
    void jobsWithTheSameTagsShareOneAndOthersHaveTheirOwn() throws IOException {
        fleet.capacity.hold(OnGitLab.ciJob(new JobKey("gl", gitlab.project, 9998), "actuated-2cpu", "shell"));
        fleet.capacity.hold(OnGitLab.ciJob(new JobKey("gl", gitlab.project, 9999), "actuated-2cpu"));
        pass(Duration.ofMinutes(21));
        standIns.renew();
        standIns.renew();
        assertThat(gitlab.runners()).hasSize(2);
    }

    @Test
    void oneThatACrashLeftBehindIsRemoved() {
        gitlab.foreignRunner("mayfly %s stand-in".formatted(fleet.installation.id()), "actuated-2cpu");
        gitlab.foreignRunner("somebody else's", "actuated-2cpu");
        pass(Duration.ofMinutes(21));
        standIns.renew();
        assertThat(gitlab.runners().stream()
                        .map(id -> gitlab.runner(id).path("description").asText()))
                .containsExactlyInAnyOrder("somebody else's", "mayfly %s stand-in".formatted(fleet.installation.id()));
    }

    @Test
    void aGitLabThatDoesNotAnswerIsAskedAgain() {
        pass(Duration.ofMinutes(21));
        gitlab.faults(Map.of("path", "/api/v4/user/runners", "status", 502));
        standIns.renew();
        assertThat(gitlab.runners()).isEmpty();
        gitlab.faults();
        standIns.renew();
        assertThat(gitlab.runners()).hasSize(1);
    }
}
