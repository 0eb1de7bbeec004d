package dev.mayfly.activities.capacity;

import org.jspecify.annotations.Nullable;

/**
 * Why a job does not run yet.
 *
 * @param reason one sentence for its author
 * @param position how many jobs are before it in the queue, plus one; null if it is not in the queue
 * @param eta when it gets a slot; null if it is not in the queue, or nobody can know
 */
public record Why(
        Code code,
        String reason,
        @Nullable Integer position,
        @Nullable Eta eta) {

    /** What a program tells apart. */
    public enum Code {
        /** Its tags can't be served; it never runs here. */
        REFUSED,
        /** It has ended, or its VM is being removed. */
        ENDED,
        /** It runs. */
        RUNNING,
        /** It has a slot, whose VM is being started. */
        STARTING,
        /** Its VM is there, and GitLab has not handed it over yet. */
        WAITS_FOR_GITLAB,
        /** It was not looked at yet, or is granted in the next pass. */
        JUST_QUEUED,
        /** So many are before it that nobody has looked at it yet. */
        FAR_BEHIND,
        NO_HOST_OF_ARCH,
        NO_HOST_WITH_LABELS,
        NO_HOST_LARGE_ENOUGH,
        NO_HOST_READY,
        NO_ROOM,
        RESERVED_FOR_ANOTHER,
        /** As many VMs are being started as may be at once. */
        MANY_STARTING,
        AT_LIMIT
    }

    Why(Code code, String reason) {
        this(code, reason, null);
    }

    Why(Code code, String reason, @Nullable Integer position) {
        this(code, reason, position, null);
    }

    /** All that it says, for people. */
    String sentence() {
        return eta == null ? reason : "%s; it gets a slot %s".formatted(reason, eta.words());
    }

    Why withEta(@Nullable Eta expected) {
        return new Why(code, reason, position, expected);
    }

    /** Whether it waits for what others will give back: how long that takes can be learnt. */
    boolean endsByItself() {
        return code == Code.NO_ROOM || code == Code.RESERVED_FOR_ANOTHER || code == Code.FAR_BEHIND;
    }
}
