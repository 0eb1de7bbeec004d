package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import io.temporal.common.SearchAttributeUpdate;
import io.temporal.failure.ActivityFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.Workflow;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a job's workflow tells people: search attributes and current details in Temporal's UI, the job's row for REST.
 * Runs inside the workflow, so it is replayed with it. Telling never delays the job: notes for the row leave one after
 * the other, in order, beside it, and only the last one is waited for.
 */
final class Story {

    /** Temporal's UI shows 20 kB of details; a job in long trouble keeps its beginning and what happened last. */
    private static final int MOST_LINES = 80;

    private static final int FIRST_LINES = 20;
    private static final String WAITS = "waits: ";

    /** One phase as the job's row gets it. */
    private record Note(
            JobPhase phase,
            @Nullable String slotId,
            @Nullable JobOutcome outcome) {}

    private record Line(OffsetDateTime at, String what, int times) {

        String markdown() {
            return "| %s | %s%s |".formatted(at, what, times == 1 ? "" : " (%d times)".formatted(times));
        }
    }

    private final CiJob job;
    private final Stubs stubs;
    private final List<Line> lines = new ArrayList<>();
    private final Deque<Note> notes = new ArrayDeque<>();
    private boolean noting;
    private @Nullable JobPhase phase;
    private @Nullable String slotNow;
    private @Nullable String lastSlot;
    private boolean served;
    private boolean needsAttention;

    Story(CiJob job, Stubs stubs) {
        this.job = job;
        this.stubs = stubs;
    }

    /** The job is in this phase now, with this slot. */
    void enter(JobPhase next, @Nullable Holding with) {
        String slotId = with == null ? null : with.slotId();
        if (next == phase && Objects.equals(slotId, slotNow)) {
            return;
        }
        phase = next;
        slotNow = slotId;
        lastSlot = slotId == null ? lastSlot : slotId;
        tell(JobOutcome.slug(next) + (with == null ? "" : " in " + slotId + " on " + with.hostId()));
        List<SearchAttributeUpdate<?>> found = new ArrayList<>();
        found.add(SearchAttributes.PHASE.valueSet(JobOutcome.slug(next)));
        found.add(with == null ? SearchAttributes.HOST.valueUnset() : SearchAttributes.HOST.valueSet(with.hostId()));
        if (with != null && !served) {
            served = true;
            long began = Workflow.getInfo().getRunStartedTimestampMillis();
            found.add(SearchAttributes.QUEUE_MILLIS.valueSet(Workflow.currentTimeMillis() - began));
        }
        if (next == JobPhase.RUNNING) {
            found.add(SearchAttributes.STARTED_AT.valueSet(now()));
        }
        Workflow.upsertTypedSearchAttributes(found.toArray(SearchAttributeUpdate[]::new));
        note(new Note(next, slotId, null));
    }

    /** The host under the job was LOST. */
    void hostLost() {
        Workflow.upsertTypedSearchAttributes(SearchAttributes.HOST_LOST.valueSet(true));
    }

    /** Something went wrong that people may have to mend; the job goes on as well as it can. */
    void trouble(String what) {
        tell(what);
        attention(true);
    }

    /** The trouble is over. */
    void calm() {
        attention(false);
    }

    /** What a signal says has happened; signals come doubled and late, so it is told once. */
    void hear(@Nullable String what) {
        if (what != null && lines.stream().noneMatch(line -> line.what().equals(inOneLine(what)))) {
            tell(what);
        }
    }

    /** Why the job still waits, as it is now: in the place of what was said of it before. */
    void waits(@Nullable String why) {
        if (why == null || phase != JobPhase.QUEUED) {
            return;
        }
        String line = WAITS + why;
        int last = lines.size() - 1;
        if (last >= 0
                && lines.get(last).what().startsWith(WAITS)
                && !lines.get(last).what().equals(inOneLine(line))) {
            lines.remove(last);
        }
        tell(line);
    }

    /** One line of the story; the same again is counted. */
    void tell(String what) {
        String text = inOneLine(what);
        Line last = lines.isEmpty() ? null : lines.get(lines.size() - 1);
        if (last != null && last.what().equals(text)) {
            lines.set(lines.size() - 1, new Line(last.at(), text, last.times() + 1));
        } else {
            lines.add(new Line(now(), text, 1));
        }
        if (lines.size() > MOST_LINES) {
            lines.remove(FIRST_LINES);
        }
        Workflow.setCurrentDetails(markdown());
    }

    /** The last word; returns once it is recorded. */
    void end(JobOutcome outcome) {
        phase = JobPhase.DONE;
        tell(JobOutcome.slug(outcome.result()) + ": " + outcome.detail());
        needsAttention = false;
        Workflow.upsertTypedSearchAttributes(
                SearchAttributes.PHASE.valueSet(JobOutcome.slug(JobPhase.DONE)),
                SearchAttributes.OUTCOME.valueSet(JobOutcome.slug(outcome.result())),
                SearchAttributes.FINISHED_AT.valueSet(now()),
                SearchAttributes.NEEDS_ATTENTION.valueSet(false));
        note(new Note(JobPhase.DONE, outcome.slotId(), outcome));
        Workflow.await(() -> !noting);
    }

    /** The slot that the job held last. */
    @Nullable
    String slotId() {
        return lastSlot;
    }

    /** Whether the job waits in this slot for GitLab to hand it over. */
    boolean isClaimingIn(Holding slot) {
        return phase == JobPhase.CLAIMING && slot.slotId().equals(slotNow);
    }

    /** Whether the job's slot was claimed before the job had made it ready: it needs no runner any more. */
    boolean isClaimedEarly(Holding slot, Holding now) {
        return phase == JobPhase.LAUNCHING && slot.claimedJobId() == null && now.claimedJobId() != null;
    }

    String markdown() {
        return "**%s**\n\n[job %d in GitLab](%s)\n\n| when | what |\n|---|---|\n%s\n"
                .formatted(
                        job.title(),
                        job.key().jobId(),
                        job.webUrl(),
                        String.join("\n", lines.stream().map(Line::markdown).toList()));
    }

    private static String inOneLine(String what) {
        return what.replace("|", "\\|").replaceAll("\\s*[\\r\\n]+\\s*", " ");
    }

    private static OffsetDateTime now() {
        return Instant.ofEpochMilli(Workflow.currentTimeMillis()).atOffset(ZoneOffset.UTC);
    }

    private void attention(boolean needed) {
        if (needsAttention != needed) {
            needsAttention = needed;
            Workflow.upsertTypedSearchAttributes(SearchAttributes.NEEDS_ATTENTION.valueSet(needed));
        }
    }

    private void note(Note note) {
        notes.add(note);
        if (!noting) {
            noting = true;
            Workflow.newDetachedCancellationScope(() -> {
                        var unused = Async.procedure(this::sendNotes);
                    })
                    .run();
        }
    }

    /** One at a time: two of them under way might land in the wrong order. */
    private void sendNotes() {
        for (Note note = notes.poll(); note != null; note = notes.poll()) {
            try {
                stubs.capacity("note: " + JobOutcome.slug(note.phase()))
                        .recordPhase(job.key(), note.phase(), note.slotId(), note.outcome());
            } catch (ActivityFailure failure) { // the row is a projection: the job itself goes on
                tell("could not note %s: %s".formatted(JobOutcome.slug(note.phase()), Trouble.reason(failure)));
            }
        }
        noting = false;
    }
}
