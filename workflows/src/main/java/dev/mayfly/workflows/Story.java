package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import io.temporal.workflow.Async;
import io.temporal.workflow.Workflow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a job's workflow tells people: search attributes and current details in Temporal's UI, the job's row for REST.
 * Runs inside the workflow, so it is replayed with it. Telling never delays the job: only the last word is waited for.
 */
final class Story {

    private final CiJob job;
    private final Stubs stubs;
    private final List<String> lines = new ArrayList<>();
    private @Nullable JobPhase phase;
    private @Nullable Holding slot;
    private boolean needsAttention;

    Story(CiJob job, Stubs stubs) {
        this.job = job;
        this.stubs = stubs;
    }

    /** The job is in this phase now, with this slot. */
    void enter(JobPhase next, @Nullable Holding with) {
        if (next == phase && sameSlot(with)) {
            return;
        }
        phase = next;
        slot = with == null ? slot : with;
        tell(JobOutcome.slug(next) + (with == null ? "" : " in " + with.slotId() + " on " + with.hostId()));
        Workflow.upsertTypedSearchAttributes(
                SearchAttributes.PHASE.valueSet(JobOutcome.slug(next)),
                with == null ? SearchAttributes.HOST.valueUnset() : SearchAttributes.HOST.valueSet(with.hostId()));
        var unused = Async.procedure(
                stubs.capacity("note: " + JobOutcome.slug(next))::recordPhase,
                job.key(),
                next,
                with == null ? null : with.slotId(),
                (JobOutcome) null);
    }

    /** Something went wrong that people may have to mend; the job goes on as well as it can. */
    void trouble(String what) {
        tell(what);
        if (!needsAttention) {
            needsAttention = true;
            Workflow.upsertTypedSearchAttributes(SearchAttributes.NEEDS_ATTENTION.valueSet(true));
        }
    }

    /** One line of the story. */
    void tell(String what) {
        lines.add(
                "| %s | %s |".formatted(Instant.ofEpochMilli(Workflow.currentTimeMillis()), what.replace("|", "\\|")));
        Workflow.setCurrentDetails(markdown());
    }

    /** The last word; returns once it is recorded. */
    void end(JobOutcome outcome) {
        phase = JobPhase.DONE;
        tell(JobOutcome.slug(outcome.result()) + ": " + outcome.detail());
        Workflow.upsertTypedSearchAttributes(
                SearchAttributes.PHASE.valueSet(JobOutcome.slug(JobPhase.DONE)),
                SearchAttributes.OUTCOME.valueSet(JobOutcome.slug(outcome.result())),
                SearchAttributes.NEEDS_ATTENTION.valueSet(false));
        stubs.capacity("note: done").recordPhase(job.key(), JobPhase.DONE, outcome.slotId(), outcome);
    }

    /** The slot that the job held last. */
    @Nullable
    String slotId() {
        return slot == null ? null : slot.slotId();
    }

    String markdown() {
        return "**%s**\n\n[job %d in GitLab](%s)\n\n| when | what |\n|---|---|\n%s\n"
                .formatted(job.title(), job.key().jobId(), job.webUrl(), String.join("\n", lines));
    }

    private boolean sameSlot(@Nullable Holding with) {
        return with == null ? slot == null : slot != null && with.slotId().equals(slot.slotId());
    }
}
