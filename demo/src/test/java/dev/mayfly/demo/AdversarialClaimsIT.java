package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Sixty jobs of three sizes, more than there is room for, and a GitLab that hands each VM any job that fits before the one
 * that it was made for. Each job runs once, in its own size, in a VM of its own, and none is lost. That nothing is left,
 * and that the ledger is even, is looked at after every test.
 */
final class AdversarialClaimsIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    private static final int EACH = 20;
    private static final Map<String, Long> MILLI_CPUS = Map.of("small", 500L, "middle", 1000L, "large", 2000L);
    private static final String PIPELINE = """
            small:
              parallel: 20
              tags: [actuated-0.5cpu-512mb, shell]
              variables: {SIMULATE_SECONDS: "1"}
              script: [echo played]
            middle:
              parallel: 20
              tags: [actuated-1cpu-1gb, shell]
              variables: {SIMULATE_SECONDS: "1"}
              script: [echo played]
            large:
              parallel: 20
              tags: [actuated-2cpu-2gb, shell]
              variables: {SIMULATE_SECONDS: "1"}
              script: [echo played]
            """;
    private static final Pattern HANDED = Pattern.compile("job (\\d+) \\(.*\\) goes to runner (\\d+)");

    @AfterEach
    void handOutAsGitLabDoes() {
        GitLabFaults.in(CLUSTER.cluster()).none();
    }

    @Test
    void eachOfSixtyJobsRunsOnceInItsOwnSizeInAVmOfItsOwn() {
        GitLabFaults.in(CLUSTER.cluster()).crossClaims();
        PipelineRun run = CLUSTER.push(PIPELINE);
        run.awaitEnd(Duration.ofMinutes(4), () -> {});

        List<JobState> jobs = run.jobs();
        assertThat(jobs).hasSize(3 * EACH);
        assertThat(jobs).allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
        Map<Long, List<Long>> runnersOf = new TreeMap<>();
        Map<Long, List<Long>> jobsOf = new TreeMap<>();
        for (MatchResult handed : handedOut()) {
            long job = Long.parseLong(handed.group(1));
            if (jobs.stream().anyMatch(ours -> ours.id() == job)) {
                long runner = Long.parseLong(handed.group(2));
                runnersOf.computeIfAbsent(job, id -> new ArrayList<>()).add(runner);
                jobsOf.computeIfAbsent(runner, id -> new ArrayList<>()).add(job);
            }
        }
        assertThat(runnersOf).as("what GitLab handed out").hasSize(3 * EACH);
        assertThat(runnersOf.values()).as("no job twice").allMatch(runners -> runners.size() == 1);
        assertThat(jobsOf.values()).as("no VM two jobs").allMatch(served -> served.size() == 1);
        for (JobState job : jobs) {
            ranInItsOwnSize(job, Objects.requireNonNull(runnersOf.get(job.id())).get(0));
        }
        List<JobState> crossed =
                jobs.stream().filter(AdversarialClaimsIT::wasCrossed).toList();
        assertThat(crossed)
                .as("jobs that were handed to a VM made for another")
                .hasSizeGreaterThan(EACH)
                .allSatisfy(AdversarialClaimsIT::isToldWhy);
    }

    /** What Mayfly says of who ran the job is what GitLab's log says, and the slot is of the size that the job's tag asks for. */
    private static void ranInItsOwnSize(JobState job, long runner) {
        JsonNode told = CLUSTER.cluster().controlPlane().get("/api/v1/jobs/" + job.id());
        assertThat(told.path("runnerId").asLong()).as(job.name()).isEqualTo(runner);
        assertThat(told.path("claimedAt").isTextual()).as(job.name()).isTrue();
        String kind = job.name().substring(0, job.name().indexOf(' '));
        long reserved = Database.count(
                CLUSTER.cluster(),
                "SELECT milli_cpus FROM slot WHERE id = '%s'"
                        .formatted(told.path("slotId").asText()));
        assertThat(reserved).as(job.name()).isEqualTo(Objects.requireNonNull(MILLI_CPUS.get(kind)));
    }

    /** Its page in Temporal's UI says how it came to the slot that ran it: by its claim, or by that of another one's. */
    private static void isToldWhy(JobState job) {
        JsonNode told = CLUSTER.cluster().controlPlane().get("/api/v1/jobs/" + job.id());
        String slot = told.path("slotId").asText();
        assertThat(Temporal.story(CLUSTER.cluster(), Objects.requireNonNull(job.text("id"))))
                .containsPattern("GitLab handed slot %s job %d; |job %d, which waited in it, goes on with slot %s"
                        .formatted(slot, job.id(), job.id(), slot));
    }

    private static boolean wasCrossed(JobState job) {
        return Database.count(
                        CLUSTER.cluster(),
                        "SELECT count(*) FROM slot WHERE claimed_by = '%s' AND made_for <> claimed_by"
                                .formatted(job.text("id")))
                == 1;
    }

    private static List<MatchResult> handedOut() {
        return HANDED.matcher(Servers.read(CLUSTER.cluster().files().log("gitlab")))
                .results()
                .toList();
    }
}
