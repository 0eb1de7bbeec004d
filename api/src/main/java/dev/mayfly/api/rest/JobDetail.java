package dev.mayfly.api.rest;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.mayfly.activities.jobs.JobView;
import dev.mayfly.activities.ledger.HeldSlot;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A job with who ran it where.
 *
 * @param claimedAt when GitLab handed it over
 * @param runnerId GitLab's number of the runner of its slot
 * @param image digest of what its VM was started from; null if its host has not told yet or has no images
 * @param slots every slot it ever held, in order; what it holds or held last comes last
 */
public record JobDetail(
        @JsonUnwrapped JobItem job,
        @Nullable Instant claimedAt,
        @Nullable Long runnerId,
        @Nullable String image,
        List<HeldSlot> slots) {

    static JobDetail of(JobView view, List<HeldSlot> slots) {
        HeldSlot last = slots.isEmpty() ? null : slots.get(slots.size() - 1);
        return new JobDetail(
                JobItem.of(view),
                view.claimedAt(),
                last == null ? null : last.runnerId(),
                last == null ? null : last.image(),
                slots);
    }
}
