package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.HostState;
import dev.mayfly.activities.placement.Decision;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.VmSize;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What each transaction must do to queue, slots, holdings and hosts, in memory, one at a time. */
final class ModelCapacity {

    static final String SWEEPER = "sweeper";

    final Map<Long, ModelJob> jobs = new TreeMap<>();
    final Map<String, ModelSlot> slots = new LinkedHashMap<>();
    final Map<String, ModelHost> hosts = new TreeMap<>();
    /** What the transaction under way sends, each as {@code <job> <signal> [slot] [start]}. */
    final List<String> signals = new ArrayList<>();
    /** Names that PostgreSQL gave to the slots that it made in this transaction. */
    final Deque<String> freshNames = new ArrayDeque<>();

    private int places;

    /** A job; {@code place} is 0 while it has none in the queue. */
    static final class ModelJob {
        final CiJob job;
        boolean left;
        boolean ended;
        int place;
        int passed;
        boolean waiting;

        @Nullable
        ModelSlot uses;

        ModelJob(CiJob job) {
            this.job = job;
        }

        String name() {
            return Long.toString(job.key().jobId());
        }

        void waitAgain() {
            uses = null;
            waiting = place > 0;
        }
    }

    /** A slot; {@code owner} is a job's number or the sweeper, null once it is released. */
    static final class ModelSlot {
        final String id;
        final ModelHost host;
        final long epoch;
        final VmSize size;

        @Nullable
        String owner;

        @Nullable
        Long claim;

        @Nullable
        String releasedBy;

        ModelSlot(String id, ModelHost host, VmSize size, String owner) {
            this.id = id;
            this.host = host;
            this.epoch = host.epoch;
            this.size = size;
            this.owner = owner;
        }

        boolean isOld() {
            return epoch != host.epoch;
        }
    }

    ModelJob job(CiJob job) {
        return jobs.computeIfAbsent(job.key().jobId(), id -> new ModelJob(job));
    }

    private @Nullable ModelJob holder(ModelSlot slot) {
        return jobs.values().stream()
                .filter(job -> job.uses == slot)
                .findFirst()
                .orElse(null);
    }

    /** The slot's name, or "queue". */
    String hold(CiJob asked) {
        ModelJob job = job(asked);
        if (job.uses == null && asked.size() != null && !job.left) {
            if (job.place == 0) {
                job.place = ++places;
            }
            job.waiting = true;
            dispatch(job);
        }
        return job.uses == null ? "queue" : job.uses.id;
    }

    int dispatch(@Nullable ModelJob caller) {
        Map<String, ModelJob> waiting = new LinkedHashMap<>();
        jobs.values().stream()
                .filter(job -> job.waiting)
                .sorted(Comparator.comparingInt(job -> job.place))
                .forEach(job -> waiting.put(job.name(), job));
        Decision decision = ModelPlacement.decide(hosts.values(), slots.values(), List.copyOf(waiting.values()));
        for (Decision.Grant grant : decision.grants()) {
            ModelJob job = Objects.requireNonNull(waiting.get(grant.request().job()));
            ModelHost host = Objects.requireNonNull(hosts.get(grant.room().hostId()));
            grant(job, host, grant.request().size(), job == caller);
        }
        decision.passed().forEach((job, passed) -> Objects.requireNonNull(waiting.get(job)).passed = passed);
        return decision.grants().size();
    }

    private void grant(ModelJob job, ModelHost host, VmSize size, boolean callerKnows) {
        String name = freshNames.isEmpty() ? "not made" : freshNames.remove();
        ModelSlot slot = new ModelSlot(name, host, size, job.name());
        slots.put(name, slot);
        host.used += size.milliCpus();
        job.uses = slot;
        job.waiting = false;
        if (!callerKnows) {
            signals.add(job.name() + " HOLDING " + name);
        }
    }

    Verdict claimed(String slotId, long epoch, CiJob handed) {
        ModelJob job = job(handed);
        ModelSlot slot = slots.get(slotId);
        if (slot == null || slot.owner == null || slot.isOld() || slot.epoch != epoch) {
            return Verdict.REFUSED;
        }
        Long number = handed.key().jobId();
        if (number.equals(slot.claim)) {
            return Verdict.HELD;
        }
        if (slot.claim != null || slots.values().stream().anyMatch(other -> number.equals(other.claim))) {
            return Verdict.REFUSED;
        }
        boolean otherSize = handed.size() != null && !handed.size().equals(slot.size);
        if (job.left || job.ended || otherSize) {
            return Verdict.VOID;
        }
        exchange(slot, slot.owner, job);
        return Verdict.HELD;
    }

    private void exchange(ModelSlot slot, String owner, ModelJob job) {
        ModelJob waited = holder(slot);
        ModelSlot former = job.uses;
        slot.owner = job.name();
        slot.claim = job.job.key().jobId();
        job.uses = slot;
        job.waiting = false;
        signals.add(job.name() + " HOLDING " + slot.id + " start");
        if (owner.equals(job.name())) {
            return;
        }
        if (former == null) {
            if (waited != null) {
                waited.waitAgain();
                signals.add(owner + " LOOK");
            }
            return;
        }
        if (waited != null && !former.host.labels.containsAll(waited.job.labels())) {
            former.owner = SWEEPER;
            waited.waitAgain();
            signals.add(owner + " LOOK");
            return;
        }
        former.owner = owner;
        if (waited != null) {
            waited.uses = former;
            signals.add(owner + " HOLDING " + former.id);
        } else {
            tellLook(owner);
        }
    }

    void giveUp(CiJob of, String slotId) {
        ModelJob job = job(of);
        ModelSlot slot = slots.get(slotId);
        if (slot != null && job.uses == slot && slot.claim == null) {
            job.waitAgain();
        }
    }

    void leave(CiJob of) {
        ModelJob job = job(of);
        job.left = true;
        job.uses = null;
        job.waiting = false;
        job.place = 0;
    }

    boolean release(String owner, String slotId) {
        ModelSlot slot = slots.get(slotId);
        if (slot == null) {
            return true;
        }
        if (slot.owner == null) {
            return owner.equals(slot.releasedBy);
        }
        if (!owner.equals(slot.owner) || holder(slot) != null) {
            return false;
        }
        slot.releasedBy = owner;
        slot.owner = null;
        if (!slot.isOld()) {
            slot.host.used -= slot.size.milliCpus();
        }
        return true;
    }

    /** Given that nothing has changed since the sweeper read the slot. */
    boolean sweep(String slotId) {
        ModelSlot slot = slots.get(slotId);
        if (slot == null || slot.owner == null || slot.owner.equals(SWEEPER)) {
            return false;
        }
        ModelJob job = holder(slot);
        if (job != null) {
            job.uses = null;
        }
        slot.owner = SWEEPER;
        return true;
    }

    void lose(ModelHost host, long newEpoch) {
        for (ModelSlot slot : slots.values()) {
            if (slot.host == host && slot.owner != null && !slot.isOld()) {
                ModelJob job = holder(slot);
                if (job != null && slot.claim == null) {
                    job.waitAgain();
                }
                tellLook(slot.owner);
            }
        }
        host.state = HostState.LOST;
        host.epoch = newEpoch;
        host.used = 0;
    }

    private void tellLook(String owner) {
        if (!owner.equals(SWEEPER)) {
            signals.add(owner + " LOOK");
        }
    }

    /** All of it, line by line, as {@link Snapshot} reads it from PostgreSQL. */
    List<String> lines() {
        List<String> lines = new ArrayList<>(
                signals.stream().map(signal -> "signal " + signal).toList());
        slots.values()
                .forEach(slot -> lines.add(
                        slot.owner == null
                                ? "slot %s released by %s".formatted(slot.id, slot.releasedBy)
                                : "slot %s on %s epoch %d owner %s holder %s claim %s"
                                        .formatted(
                                                slot.id,
                                                slot.host.id,
                                                slot.epoch,
                                                slot.owner,
                                                name(holder(slot)),
                                                slot.claim)));
        hosts.values()
                .forEach(host ->
                        lines.add("host %s %s epoch %d used %d".formatted(host.id, host.state, host.epoch, host.used)));
        List<ModelJob> inOrder = jobs.values().stream()
                .filter(job -> job.waiting)
                .sorted(Comparator.comparingInt(job -> job.place))
                .toList();
        inOrder.forEach(job -> lines.add("queue %d %s".formatted(inOrder.indexOf(job) + 1, job.name())));
        jobs.values().stream().filter(job -> job.left).forEach(job -> lines.add("left " + job.name()));
        return lines.stream().sorted().toList();
    }

    private static String name(@Nullable ModelJob job) {
        return job == null ? "null" : job.name();
    }
}
