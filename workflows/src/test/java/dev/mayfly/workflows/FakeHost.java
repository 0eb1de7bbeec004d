package dev.mayfly.workflows;

import dev.mayfly.workflows.FakeFleet.Slot;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.VmActivities;
import io.temporal.activity.Activity;
import io.temporal.activity.ManualActivityCompletionClient;
import io.temporal.client.ActivityCompletionException;
import io.temporal.client.WorkflowClient;
import io.temporal.worker.WorkerFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One host's agent, by contract: claims and runs are completed by hand, calls for a slot join. */
final class FakeHost implements VmActivities, AutoCloseable {

    private record Waiter(String slotId, long jobId, boolean run, ManualActivityCompletionClient client) {}

    final String id;
    volatile int room;
    volatile long epoch = 7;
    volatile boolean lost;
    private final FakeFleet fleet;
    private final List<Waiter> waiters = new ArrayList<>();
    private @Nullable WorkerFactory agent;

    FakeHost(FakeFleet fleet, String id, int room) {
        this.fleet = fleet;
        this.id = id;
        this.room = room;
    }

    /** Whether it was LOST since it granted under this epoch. */
    boolean isLost(long granted) {
        return lost || epoch > granted;
    }

    /** Its agent polls both queues from now on. */
    void appear(WorkflowClient temporal) {
        agent = WorkerFactory.newInstance(temporal);
        for (String queue : List.of(TaskQueues.host(id), TaskQueues.hostWait(id))) {
            agent.newWorker(queue).registerActivitiesImplementations(this);
        }
        agent.start();
    }

    /** Its agent is killed: it answers nobody any more, and knows nobody who waits. */
    void vanish() {
        if (agent != null) {
            agent.shutdownNow();
            agent.awaitTermination(10, TimeUnit.SECONDS);
            agent = null;
        }
        synchronized (fleet) {
            waiters.clear();
        }
    }

    @Override
    public void close() {
        vanish();
    }

    @Override
    public Launched launch(LaunchRequest request) {
        fleet.calls.step("launch", request.slotId());
        synchronized (fleet) {
            Slot slot = checked(request.slotId(), request.epoch());
            if (slot.tombstone) {
                throw FailureType.TOMBSTONE.failure(slot.id + " was destroyed on " + id);
            }
            if (!slot.vmUp) {
                slot.vmUp = true;
                slot.boots++;
            }
            return new Launched(slot.boots);
        }
    }

    @Override
    @SuppressWarnings("NullAway") // completed by hand
    public Claimed claim(ClaimRequest request) {
        fleet.calls.step("claim", request.slotId());
        synchronized (fleet) {
            Slot slot = checked(request.slotId(), request.epoch());
            if (slot.claim != null) {
                return slot.claim == request.job().jobId() ? Claimed.CLAIMED : Claimed.REASSIGNED;
            }
            if (!slot.vmUp) {
                return Claimed.VM_DIED;
            }
            waitHere(slot.id, request.job().jobId(), false);
            return null;
        }
    }

    @Override
    @SuppressWarnings("NullAway") // completed by hand
    public Ran run(RunRequest request) {
        fleet.calls.step("run", request.slotId());
        synchronized (fleet) {
            Slot slot = checked(request.slotId(), request.epoch());
            if (slot.claim == null || slot.claim != request.job().jobId()) {
                return new Ran(Ran.End.REASSIGNED, "not this job's claim");
            }
            if (!slot.vmUp) {
                return new Ran(Ran.End.VM_DIED_UNSERVED, "the VM is gone");
            }
            String served = fleet.servedIn.put(request.job(), slot.id);
            if (served != null && !served.equals(slot.id)) {
                fleet.damage.add("%s was served in %s and in %s".formatted(request.job(), served, slot.id));
            }
            waitHere(slot.id, request.job().jobId(), true);
            return null;
        }
    }

    @Override
    public Destroyed destroy(DestroyRequest request) {
        fleet.calls.step("destroy", request.slotId());
        synchronized (fleet) {
            Slot slot = checked(request.slotId(), request.epoch());
            if (slot.claim != null && !slot.claim.equals(request.knownClaimJobId())) {
                return Destroyed.REASSIGNED;
            }
            if (slot.heldBy != null) {
                fleet.damage.add(slot.id + " was destroyed while " + slot.heldBy + " held it");
            }
            slot.vmUp = false;
            slot.tombstone = true;
            completeClaims(slot.id, Claimed.REASSIGNED);
            completeRuns(slot.id, new Ran(Ran.End.ENDED_IN_GITLAB, "destroyed"));
            return Destroyed.DESTROYED;
        }
    }

    /** Answers those who wait for this slot's claim; to be called after its claim was recorded. */
    void tellClaims(Slot slot) {
        for (Waiter waiter : take(slot.id, false)) {
            boolean theirs = slot.claim != null && slot.claim == waiter.jobId();
            complete(waiter, theirs ? Claimed.CLAIMED : Claimed.REASSIGNED);
        }
    }

    void completeClaims(String slotId, Claimed answer) {
        take(slotId, false).forEach(waiter -> complete(waiter, answer));
    }

    void completeRuns(String slotId, Ran answer) {
        take(slotId, true).forEach(waiter -> complete(waiter, answer));
    }

    /** Whether somebody waits here for this slot's claim, or for its run. */
    boolean isWaited(String slotId, boolean run) {
        synchronized (fleet) {
            return waiters.stream().anyMatch(waiter -> waiter.slotId().equals(slotId) && waiter.run() == run);
        }
    }

    private Slot checked(String slotId, long asked) {
        if (asked != epoch) {
            throw FailureType.WRONG_EPOCH.failure("%s asks %s for epoch %d".formatted(slotId, id, asked));
        }
        return fleet.slot(slotId);
    }

    private void waitHere(String slotId, long jobId, boolean run) {
        var client = Activity.getExecutionContext().useLocalManualCompletion();
        waiters.add(new Waiter(slotId, jobId, run, client));
    }

    private List<Waiter> take(String slotId, boolean run) {
        synchronized (fleet) {
            List<Waiter> taken = waiters.stream()
                    .filter(waiter -> waiter.slotId().equals(slotId) && waiter.run() == run)
                    .toList();
            waiters.removeAll(taken);
            return taken;
        }
    }

    private void complete(Waiter waiter, Object answer) {
        try {
            waiter.client().complete(answer);
        } catch (ActivityCompletionException e) { // its workflow has ended meanwhile, or abandoned the call
            fleet.calls.note("nobody waits any more for", waiter.slotId());
        }
    }
}
