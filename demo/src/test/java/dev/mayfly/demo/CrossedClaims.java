package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.demo.PipelineRun.JobState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** What must be true once the jobs of a pipeline that GitLab handed out in adversarial order have ended. */
final class CrossedClaims {

    private static final Pattern HANDED = Pattern.compile("job (\\d+) \\(.*\\) goes to runner (\\d+)");

    private final DemoCluster cluster;
    private final List<JobState> jobs;
    private final Map<String, Long> milliCpus;

    /** @param milliCpus what the tags of the parallel jobs of each name ask for */
    CrossedClaims(DemoCluster cluster, PipelineRun ended, Map<String, Long> milliCpus) {
        this.cluster = cluster;
        this.jobs = ended.jobs();
        this.milliCpus = milliCpus;
    }

    /** Each job ran once, in its own size, in a VM of its own, and none is lost. */
    CrossedClaims eachRanOnceInItsOwnSizeInAVmOfItsOwn(int howMany) {
        assertThat(jobs).hasSize(howMany);
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
        assertThat(runnersOf).as("what GitLab handed out").hasSize(howMany);
        assertThat(runnersOf.values()).as("no job twice").allMatch(runners -> runners.size() == 1);
        assertThat(jobsOf.values()).as("no VM two jobs").allMatch(served -> served.size() == 1);
        for (JobState job : jobs) {
            ranInItsOwnSize(job, Objects.requireNonNull(runnersOf.get(job.id())).get(0));
        }
        return this;
    }

    /** The adversary was at work, and Mayfly says so. */
    void moreThanWereHandedToAVmMadeForAnother(int atLeast) {
        assertThat(jobs.stream().filter(this::wasCrossed).toList())
                .as("jobs that were handed to a VM made for another")
                .hasSizeGreaterThan(atLeast)
                .allSatisfy(this::isToldWhy);
    }

    /** Its page in Temporal's UI says how it came to the slot that ran it: by its claim, or by that of another one's. */
    private void isToldWhy(JobState job) {
        JsonNode told = cluster.controlPlane().get("/api/v1/jobs/" + job.id());
        String slot = told.path("slotId").asText();
        assertThat(Temporal.story(cluster, Objects.requireNonNull(job.text("id"))))
                .containsPattern("GitLab handed slot %s job %d; |job %d, which waited in it, goes on with slot %s"
                        .formatted(slot, job.id(), job.id(), slot));
    }

    /** What Mayfly says of who ran the job is what GitLab's log says, and the slot is of the size that the job's tag asks for. */
    private void ranInItsOwnSize(JobState job, long runner) {
        JsonNode told = cluster.controlPlane().get("/api/v1/jobs/" + job.id());
        assertThat(told.path("runnerId").asLong()).as(job.name()).isEqualTo(runner);
        assertThat(told.path("claimedAt").isTextual()).as(job.name()).isTrue();
        String kind = job.name().substring(0, job.name().indexOf(' '));
        long reserved = Database.count(
                cluster,
                "SELECT milli_cpus FROM slot WHERE id = '%s'"
                        .formatted(told.path("slotId").asText()));
        assertThat(reserved).as(job.name()).isEqualTo(Objects.requireNonNull(milliCpus.get(kind)));
    }

    private boolean wasCrossed(JobState job) {
        return Database.count(
                        cluster,
                        "SELECT count(*) FROM slot WHERE claimed_by = '%s' AND made_for <> claimed_by"
                                .formatted(job.text("id")))
                == 1;
    }

    private List<MatchResult> handedOut() {
        return HANDED.matcher(Servers.read(cluster.files().log("gitlab")))
                .results()
                .toList();
    }
}
