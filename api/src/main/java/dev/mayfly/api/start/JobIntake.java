package dev.mayfly.api.start;

import dev.mayfly.activities.capacity.ClaimedJob;
import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.JobFacts;
import dev.mayfly.activities.jobs.JobView;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.jobs.Jobs.Standing;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.TagGrammar;
import dev.mayfly.workflows.job.VmSize;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what becomes of a job that GitLab shows: started, refused with a reason, or none of our business. GitLab's REST
 * API is what counts here, not the webhook that led to it. Called by the inbox, the reconciler and the agents' claims;
 * every call may be repeated.
 */
public final class JobIntake {

    private static final Logger LOG = LoggerFactory.getLogger(JobIntake.class);
    private static final String PENDING = "pending";

    private final GitLabJobs gitlab;
    private final Jobs jobs;
    private final Hosts hosts;
    private final TagGrammar grammar;
    private final JobStarter starter;

    public JobIntake(GitLabJobs gitlab, Jobs jobs, Hosts hosts, TagGrammar grammar, JobStarter starter) {
        this.gitlab = gitlab;
        this.jobs = jobs;
        this.hosts = hosts;
        this.grammar = grammar;
        this.starter = starter;
    }

    /**
     * Looks the job up and acts on what GitLab says now.
     *
     * @throws io.temporal.failure.ApplicationFailure if GitLab can't be asked; try again later
     */
    public void consider(JobKey key) {
        Optional<JobFacts> facts = gitlab.getJob(key);
        if (facts.isPresent()) {
            if (!consider(facts.get())) {
                LOG.info(
                        "{}: ignored: none of the tags {} is ours",
                        key,
                        facts.get().tags());
            }
        } else {
            LOG.info(
                    "{}: ignored: GitLab shows no such job to our token; is the token's user a Maintainer there?", key);
        }
    }

    /** Acts on a job just looked up; whether it is one of ours. */
    public boolean consider(JobFacts facts) {
        TagGrammar.Result asked = grammar.parse(facts.tags());
        if (asked instanceof TagGrammar.Ours ours) {
            Optional<String> tooLarge = LargestHosts.refusal(ours.size(), hosts.offers());
            if (tooLarge.isEmpty()) {
                accept(job(facts, ours.size(), ours.labels()), facts.status());
            } else {
                refuse(facts, tooLarge.get());
            }
            return true;
        } else if (asked instanceof TagGrammar.Refused refused) {
            refuse(facts, refused.reason());
            return true;
        }
        return false;
    }

    /**
     * The job that GitLab handed to one of our runners, known or looked up.
     *
     * @return empty if GitLab doesn't know it any more
     */
    public Optional<ClaimedJob> claimed(JobKey key) {
        Optional<JobView> known = jobs.find(key);
        if (known.isPresent()) {
            return Optional.of(new ClaimedJob(known.get().job(), known.get().refusal()));
        }
        return gitlab.getJob(key).map(facts -> {
            TagGrammar.Result result = grammar.parse(facts.tags());
            String refusal = result instanceof TagGrammar.Refused refused ? refused.reason() : null;
            return result instanceof TagGrammar.Ours ours
                    ? new ClaimedJob(job(facts, ours.size(), ours.labels()), null)
                    : new ClaimedJob(job(facts, null, List.of()), refusal);
        });
    }

    /** How this job gets more memory if it runs out of it, as the end of a sentence; empty if its tags name no size. */
    public Optional<String> memoryAdvice(CiJob job) {
        return Optional.ofNullable(job.size())
                .map(size -> grammar.memoryAdvice(
                        size, more -> LargestHosts.refusal(more, hosts.offers()).isEmpty()));
    }

    private void accept(CiJob job, String status) {
        Standing standing = jobs.upsertSeen(job, status);
        if (standing == Standing.ENDED) {
            LOG.info("{}: ignored: GitLab shows it as {}", job.key(), status);
            starter.ended(job.key(), status);
        } else if (!status.equals(PENDING)) {
            LOG.info("{}: ignored: GitLab shows it as {}, not as {}", job.key(), status, PENDING);
        } else if (standing == Standing.OPEN) {
            starter.start(job);
        } else {
            LOG.info("{}: ignored: it was refused, has ended or has left", job.key());
        }
    }

    private void refuse(JobFacts facts, String reason) {
        LOG.info("{}: refused: {}", facts.key(), reason);
        jobs.refuse(job(facts, null, List.of()), facts.status(), reason);
    }

    private CiJob job(JobFacts facts, @Nullable VmSize size, List<String> labels) {
        return new CiJob(
                facts.key(),
                facts.projectPath(),
                facts.name(),
                facts.stage(),
                facts.ref(),
                facts.sha(),
                facts.pipelineId(),
                facts.webUrl(),
                facts.user(),
                facts.tags(),
                size,
                grammar.executorOf(facts.tags()),
                labels);
    }
}
