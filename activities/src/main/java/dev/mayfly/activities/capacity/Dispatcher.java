package dev.mayfly.activities.capacity;

import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.activities.placement.Decision;
import dev.mayfly.activities.placement.Order;
import dev.mayfly.activities.placement.Placement;
import dev.mayfly.activities.placement.Reason;
import dev.mayfly.activities.placement.Request;
import dev.mayfly.activities.placement.Room;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.activities.placement.Usage;
import dev.mayfly.workflows.activity.Holding;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One pass over the queue within one transaction of its caller, who has taken the lock of {@link PostgresCapacity}: reads
 * the first part of the queue and the hosts, asks {@link Placement}, writes what it decided. Bounded, however long the
 * queue is: it ends with the first part in which something was granted, or after {@link #DEPTH} jobs.
 */
final class Dispatcher {

    private static final Logger log = LoggerFactory.getLogger(Dispatcher.class);
    /** How many jobs are read at once, hence the most that one pass grants. */
    static final int BATCH = 500;
    /** How far behind a job that waits another one is looked for that fits. */
    static final int DEPTH = 1000;
    /** A slot that has waited for longer is not starting but in trouble, and keeps nobody else from it. */
    static final Duration STARTS_WITHIN = Duration.ofMinutes(3);

    private final Handle handle;
    private final Queue queue;
    private final Outbox outbox;
    private final Instant now;
    private final Rules rules;
    private final int mostStarting;
    private final Order order;

    Dispatcher(Handle handle, Outbox outbox, Instant now, Rules rules, int mostStarting, Order order) {
        this.handle = handle;
        this.queue = new Queue(handle);
        this.outbox = outbox;
        this.now = now;
        this.rules = rules;
        this.mostStarting = mostStarting;
        this.order = order;
    }

    /**
     * Grants slots to those that wait.
     *
     * @param caller the job whose own call this is: it needs no signal, its answer tells it
     * @return what each job that was granted one holds now
     */
    Map<String, Holding> pass(@Nullable String caller) {
        queue.order(order.promoteEvery(), DEPTH);
        List<Room> rooms = queue.rooms(rules.cpuOvercommit(), now);
        if (rooms.stream().noneMatch(rules::leaveRoomOn)) {
            return Map.of();
        }
        int most = mostStarting - starting();
        if (most <= 0) {
            return Map.of();
        }
        List<Usage> usage = usage();
        Map<String, QueuedJob> queued = new HashMap<>();
        List<Request> requests = new ArrayList<>();
        Set<String> atLimit = new HashSet<>();
        QueuedJob last = null;
        List<QueuedJob> page;
        Decision decision;
        do {
            page = queue.page(last, atLimit, BATCH);
            for (QueuedJob job : page) {
                queued.put(job.request().job(), job);
                requests.add(job.request());
                last = job;
            }
            decision = decide(rooms, requests, usage);
            decision.waiting().stream()
                    .filter(waiting -> waiting.reason() instanceof Reason.AtLimit)
                    .map(waiting -> Objects.requireNonNull(
                                    queued.get(waiting.request().job()))
                            .project())
                    .forEach(atLimit::add);
        } while (decision.grants().isEmpty() && page.size() == BATCH && requests.size() < DEPTH);
        if (decision.grants().size() > most) {
            // Each is decided by those before it alone.
            Request lastOne = decision.grants().get(most - 1).request();
            decision = decide(rooms, requests.subList(0, requests.indexOf(lastOne) + 1), usage);
        }
        return decision.grants().isEmpty() ? Map.of() : write(decision, queued, caller);
    }

    /** What keeps this job waiting now; empty if a pass would grant it a slot, or does not come to it. Changes nothing. */
    Optional<Decision.Waiting> why(String job) {
        List<Room> rooms = queue.rooms(rules.cpuOvercommit(), now);
        List<Usage> usage = usage();
        List<Request> requests = queue.page(null, Set.of(), DEPTH).stream()
                .map(QueuedJob::request)
                .toList();
        Optional<Decision.Waiting> waiting = decide(rooms, requests, usage).waiting().stream()
                .filter(one -> one.request().job().equals(job))
                .findFirst();
        return waiting.isEmpty() && starting() >= mostStarting
                ? requests.stream()
                        .filter(request -> request.job().equals(job))
                        .findFirst()
                        .map(request -> new Decision.Waiting(request, new Reason.ManyStarting(mostStarting), 0))
                : waiting;
    }

    private int starting() {
        return queue.starting(now.minus(STARTS_WITHIN), mostStarting);
    }

    private List<Usage> usage() {
        return rules.limits().isEmpty() ? List.of() : queue.usage();
    }

    /** What runs is only read if a head needs to know, and somebody is behind it. */
    private Decision decide(List<Room> rooms, List<Request> requests, List<Usage> usage) {
        Decision decision = Placement.place(rooms, requests, usage, rules, now);
        if (!decision.grants().stream().allMatch(Decision.Grant::inOrder)) {
            Map<String, List<Room.Running>> running = queue.running();
            if (!running.isEmpty()) {
                List<Room> known = rooms.stream()
                        .map(room -> room.withRunning(running.getOrDefault(room.hostId(), List.of())))
                        .toList();
                return Placement.place(known, requests, usage, rules, now);
            }
        }
        return decision;
    }

    private Map<String, Holding> write(Decision decision, Map<String, QueuedJob> queued, @Nullable String caller) {
        Map<String, Holding> made = new GrantedSlots(handle, now).write(decision, queued, rules.cpuOvercommit());
        made.forEach((job, slot) -> log.info("job {} holds new slot {} on host {}", job, slot.slotId(), slot.hostId()));
        Map<String, Holding> told = new HashMap<>(made);
        told.remove(caller);
        outbox.addHoldings(handle, told);
        return made;
    }
}
