package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.CapacityActivities;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Capacity as its contract says, in memory, with GitLab and hosts beside it. Tests script it: rooms, answers, failures,
 * gates. It keeps a log of every call, and notes whatever must never happen in {@link #damage}.
 */
final class FakeFleet implements CapacityActivities {

    /** A slot as PostgreSQL, its host and GitLab know it together. */
    static final class Slot {
        final String id;
        final FakeHost host;
        final long epoch;
        final CiJob maker;
        JobKey owner;

        @Nullable
        JobKey heldBy;

        @Nullable
        Long claim;

        long generation = 1;
        boolean released;
        boolean vmUp;
        int boots;
        boolean tombstone;

        @Nullable
        List<String> runnerTags;

        Slot(String id, FakeHost host, CiJob maker) {
            this.id = id;
            this.host = host;
            this.epoch = host.epoch;
            this.maker = maker;
            this.owner = maker.key();
            this.heldBy = maker.key();
        }

        Holding holding() {
            return new Holding(id, host.id, epoch, Objects.requireNonNull(maker.size()), generation, claim);
        }
    }

    final Calls calls = new Calls();
    final List<String> damage = new ArrayList<>();
    final Map<String, FakeHost> hosts = new LinkedHashMap<>();
    final Map<String, Slot> slots = new LinkedHashMap<>();
    final Map<JobKey, List<String>> notes = new HashMap<>();
    final Map<JobKey, JobOutcome> outcomes = new HashMap<>();
    final FakeGitLab gitlab = new FakeGitLab(this);
    final Map<JobKey, String> servedIn = new HashMap<>();
    private final Map<JobKey, Boolean> left = new HashMap<>();

    FakeHost host(String id, int room) {
        var host = new FakeHost(this, id, room);
        hosts.put(id, host);
        return host;
    }

    /** What the queue says of whoever waits. */
    volatile String why = "no room";

    @Nullable
    String why(JobKey job) {
        calls.step("whyWaiting", job.jobId());
        return why;
    }

    // ---- what tests look at and turn

    synchronized Slot slot(String id) {
        return Objects.requireNonNull(slots.get(id), () -> "no slot " + id + " in " + slots.keySet());
    }

    synchronized @Nullable Slot heldBy(JobKey job) {
        return slots.values().stream()
                .filter(slot -> job.equals(slot.heldBy))
                .findFirst()
                .orElse(null);
    }

    synchronized List<String> notesOf(CiJob job) {
        return List.copyOf(notes.getOrDefault(job.key(), List.of()));
    }

    /** What is left of any job: a VM whose host isn't lost, a runner, a reservation. */
    synchronized List<String> leftOver() {
        List<String> left = new ArrayList<>();
        for (Slot slot : slots.values()) {
            boolean vm = !slot.tombstone && !slot.host.isLost(slot.epoch);
            if (vm || slot.runnerTags != null || !slot.released) {
                left.add("%s: vm %s, runner %s, released %s".formatted(slot.id, vm, slot.runnerTags, slot.released));
            }
        }
        return left;
    }

    /** The transaction of design.md section 4, point 3: GitLab handed {@code slotId} this job. */
    synchronized void claimed(String slotId, CiJob job) {
        Slot slot = slot(slotId);
        Slot former = heldBy(job.key());
        JobKey loser = slot.owner;
        boolean loserWaits = loser.equals(slot.heldBy) && !loser.equals(job.key());
        slot.owner = job.key();
        slot.heldBy = job.key();
        slot.claim = job.key().jobId();
        slot.generation++;
        gitlab.set(job.key(), "running", At.OUR_RUNNER);
        if (former != null && former != slot) {
            former.owner = loser;
            former.heldBy = loserWaits ? loser : null;
            former.generation++;
        }
        slot.host.tellClaims(slot);
    }

    /** The VM of a slot is gone without having served anything. */
    synchronized void vmDies(String slotId) {
        Slot slot = slot(slotId);
        slot.vmUp = false;
        slot.host.completeClaims(slotId, Claimed.VM_DIED);
    }

    /** The run of a slot's job ends so. */
    synchronized void runEnds(String slotId, Ran.End end) {
        Slot slot = slot(slotId);
        if (end == Ran.End.VM_DIED_UNSERVED || end == Ran.End.VM_LOST) {
            slot.vmUp = false;
        }
        if (end == Ran.End.VM_DIED_UNSERVED) {
            servedIn.values().remove(slotId);
        }
        slot.host.completeRuns(slotId, new Ran(end, "the run ended as " + end));
    }

    // ---- capacity

    @Override
    public @Nullable Holding hold(CiJob job) {
        calls.step("hold", job.key().jobId());
        synchronized (this) {
            Slot held = heldBy(job.key());
            if (held != null || left.containsKey(job.key()) || job.size() == null) {
                return held == null ? null : held.holding();
            }
            for (FakeHost host : hosts.values()) {
                if (!host.lost && host.room > usedOn(host)) {
                    Slot slot = new Slot("k3x9p-" + (slots.size() + 1), host, job);
                    slots.put(slot.id, slot);
                    calls.note("grant", slot.id);
                    return slot.holding();
                }
            }
            return null;
        }
    }

    @Override
    public void giveUp(JobKey job, String slotId, @Nullable String unfit) {
        calls.step("giveUp", unfit == null ? slotId : slotId + ", unfit: " + unfit);
        synchronized (this) {
            Slot slot = slot(slotId);
            if (job.equals(slot.heldBy) && slot.claim == null) {
                slot.heldBy = null;
            }
        }
    }

    @Override
    public void leave(JobKey job) {
        calls.step("leave", job.jobId());
        synchronized (this) {
            left.put(job, true);
            Slot held = heldBy(job);
            if (held != null) {
                held.heldBy = null;
            }
        }
    }

    @Override
    public List<Holding> toDismantle(JobKey job) {
        calls.step("toDismantle", job.jobId());
        synchronized (this) {
            return slots.values().stream()
                    .filter(slot -> slot.owner.equals(job) && !slot.released && !job.equals(slot.heldBy))
                    .map(Slot::holding)
                    .toList();
        }
    }

    @Override
    public boolean release(JobKey job, String slotId) {
        calls.step("release", slotId);
        synchronized (this) {
            Slot slot = slot(slotId);
            if (!slot.owner.equals(job) || slot.heldBy != null) {
                return false;
            }
            if (!slot.tombstone && !slot.host.isLost(slot.epoch)) {
                damage.add(slotId + " was released before its VM was destroyed");
            }
            slot.released = true;
            return true;
        }
    }

    @Override
    public boolean hostIsLost(String hostId, long epoch) {
        calls.step("hostIsLost", hostId);
        FakeHost host = Objects.requireNonNull(hosts.get(hostId));
        return host.isLost(epoch);
    }

    @Override
    public void recordPhase(JobKey job, JobPhase phase, @Nullable String slotId, @Nullable JobOutcome outcome) {
        calls.step("note " + JobOutcome.slug(phase), slotId);
        synchronized (this) {
            notes.computeIfAbsent(job, key -> new ArrayList<>()).add(JobOutcome.slug(phase));
            if (outcome != null) {
                outcomes.put(job, outcome);
            }
        }
    }

    private long usedOn(FakeHost host) {
        return slots.values().stream()
                .filter(slot -> slot.host == host && !slot.released)
                .count();
    }
}
