package dev.mayfly.api.sweep;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import org.jspecify.annotations.Nullable;

/** What dismantling a swept slot asks of PostgreSQL. */
@ActivityInterface
public interface SweepActivities {

    /** The slot as it is now; null if it is released or no longer the sweeper's. */
    @ActivityMethod(name = "sweptSlot")
    @Nullable
    SweptSlot sweptSlot(String slotId);

    /** Frees its reservation. Only after destroy was confirmed or the host is LOST, and after its claim was failed. */
    @ActivityMethod(name = "releaseSwept")
    void releaseSwept(String slotId);
}
