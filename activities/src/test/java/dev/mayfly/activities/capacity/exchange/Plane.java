package dev.mayfly.activities.capacity.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.activities.capacity.ClaimOutcome;
import dev.mayfly.activities.capacity.ClaimedJob;
import dev.mayfly.activities.capacity.Fleet;
import dev.mayfly.activities.capacity.HostState;
import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.capacity.LeaseTimes;
import dev.mayfly.activities.capacity.PostgresCapacity;
import dev.mayfly.activities.capacity.SlotView;
import dev.mayfly.activities.capacity.exchange.CrashingConnections.Crash;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.ledger.Ledger;
import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.activities.placement.Order;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.testkit.MovableClock;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.CiJob;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/**
 * The control plane under test beside its model: every transaction is done in both, and afterwards both must say the
 * same. A call answers null if the control plane died in it, before or after its commit.
 */
final class Plane {

    private static final Duration SILENCE = Duration.ofMillis(2500);
    private static final LeaseTimes TIMES = new LeaseTimes(
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            Duration.ofSeconds(3),
            Duration.ofSeconds(2),
            Duration.ofSeconds(10));

    /** Who has waited longest is promoted by a count that no crash resets, and is {@code QueueOrderTest}'s. */
    private static final Order BY_ARRIVAL = new Order(Integer.MAX_VALUE, List.of(), List.of());

    final ModelCapacity model = new ModelCapacity();
    private final MovableClock clock = new MovableClock();
    private final CrashingConnections connections;
    private final Jdbi jdbi;
    private final PostgresCapacity capacity;
    private final Hosts hosts;
    private final Jobs jobs;
    private Snapshot now;
    private Crash crash = Crash.NEVER;

    Plane(Jdbi jdbi, CrashingConnections connections) {
        this.jdbi = jdbi;
        this.connections = connections;
        Outbox outbox = new Outbox(jdbi, clock);
        this.capacity = new PostgresCapacity(
                jdbi, clock, outbox, new Sealer("test", new byte[32]), Rules.standard(), BY_ARRIVAL);
        this.hosts = new Hosts(jdbi, clock, outbox, TIMES, null);
        this.jobs = new Jobs(jdbi, clock);
        this.now = Snapshot.read(jdbi);
        hosts.tick();
    }

    Snapshot now() {
        return now;
    }

    void crashInNextTransaction(Crash crash) {
        connections.atNextCommit(crash);
        this.crash = crash;
    }

    private <T> @Nullable T transact(String what, Supplier<T> real, Supplier<T> modelled) {
        Crash dies = crash;
        crash = Crash.NEVER;
        T answer = null;
        if (dies == Crash.NEVER) {
            answer = real.get();
        } else {
            assertThatThrownBy(real::get).as(what).hasStackTraceContaining(CrashingConnections.MESSAGE);
        }
        Snapshot before = now;
        now = Snapshot.read(jdbi);
        if (dies != Crash.BEFORE_COMMIT) {
            now.live().stream()
                    .map(SlotView::slotId)
                    .filter(id ->
                            !model.slots.containsKey(id) && before.slot(id).isEmpty())
                    .sorted(Comparator.comparingInt(Plane::number)) // the order in which they were made
                    .forEach(model.freshNames::add);
            T expected = modelled.get();
            if (dies == Crash.NEVER) {
                assertThat(answer).as(what).isEqualTo(expected);
            }
        }
        assertThat(now.lines()).as("PostgreSQL after: " + what).isEqualTo(model.lines());
        model.signals.clear();
        model.freshNames.clear();
        return answer;
    }

    private static int number(String slotId) {
        return Integer.parseInt(slotId.substring(slotId.indexOf('-') + 1));
    }

    // ---- what workflows call

    /** The webhook that starts a workflow. */
    boolean seen(CiJob job) {
        Jobs.Standing standing = jobs.upsertSeen(job, "pending");
        model.job(job);
        return standing == Jobs.Standing.OPEN;
    }

    /** The webhook that tells the end. */
    void ended(CiJob job, String status) {
        if (jobs.recordStatus(job.key(), status)) {
            model.job(job).ended = true;
        }
    }

    /** False if nobody heard the answer. */
    boolean hold(CiJob job) {
        String answer = transact(
                "hold " + job.key().jobId(),
                () -> {
                    Holding held = capacity.hold(job);
                    return held == null ? "queue" : held.slotId();
                },
                () -> model.hold(job));
        return answer != null;
    }

    /** False if it was cut off. */
    boolean dispatch() {
        return transact("dispatch", capacity::dispatch, () -> model.dispatch(null)) != null;
    }

    void giveUp(CiJob job, String slotId) {
        transact("giveUp " + slotId, () -> done(() -> capacity.giveUp(job.key(), slotId, null)), () -> {
            model.giveUp(job, slotId);
            return true;
        });
    }

    /** False if nobody heard the answer. */
    boolean leave(CiJob job) {
        return transact("leave " + job.key().jobId(), () -> done(() -> capacity.leave(job.key())), () -> {
                    model.leave(job);
                    return true;
                })
                != null;
    }

    List<Holding> toDismantle(CiJob job) {
        return capacity.toDismantle(job.key());
    }

    void release(CiJob job, String slotId) {
        transact(
                "release " + slotId,
                () -> capacity.release(job.key(), slotId),
                () -> model.release(model.job(job).name(), slotId));
    }

    boolean hostIsLost(SlotView slot) {
        return capacity.hostIsLost(slot.hostId(), slot.epoch());
    }

    // ---- what the sweeper calls

    void sweep(SlotView asRead) {
        boolean changed = now.slot(asRead.slotId())
                .filter(slot -> slot.generation() == asRead.generation())
                .isEmpty();
        transact(
                "sweep " + asRead.slotId(),
                () -> capacity.sweep(asRead.slotId(), asRead.generation()),
                () -> !changed && model.sweep(asRead.slotId()));
    }

    void releaseSwept(String slotId) {
        transact(
                "releaseSwept " + slotId,
                () -> capacity.releaseSwept(slotId),
                () -> model.release(ModelCapacity.SWEEPER, slotId));
    }

    // ---- what agents call

    @Nullable
    Verdict claimed(String hostId, String slotId, long epoch, CiJob handed) {
        ClaimReport report = new ClaimReport(
                hostId, slotId, epoch, handed.key().projectId(), handed.key().jobId(), "glcbt-secret");
        return transact(
                "claim of %d by %s".formatted(handed.key().jobId(), slotId),
                () -> {
                    ClaimOutcome outcome = capacity.claimed(hostId, report, new ClaimedJob(handed, null));
                    if (outcome.reply().verdict() == Verdict.HELD) {
                        assertThat(outcome.reply().executor())
                                .as("the executor of the claimed job's own tags")
                                .isEqualTo(handed.executor());
                    }
                    return outcome.reply().verdict();
                },
                () -> model.claimed(slotId, epoch, handed));
    }

    void newHost(String id, int smallVms, List<String> labels) {
        ModelHost host = new ModelHost(id, Fleet.SMALL.milliCpus() * smallVms, labels);
        model.hosts.put(id, host);
        transact("new host " + id, () -> lease(host, 0), () -> 1L);
    }

    void renew(String id) {
        ModelHost host = host(id);
        transact("lease of " + id, () -> lease(host, host.epoch), () -> {
            host.state = HostState.READY;
            host.silentMillis = 0;
            return host.epoch;
        });
    }

    /** An agent that knows no epoch: the host was made anew. */
    void loseByNewAgent(String id) {
        ModelHost host = host(id);
        transact("lease of the new agent of " + id, () -> lease(host, 0), () -> {
            model.lose(host, host.epoch + 1);
            return host.epoch;
        });
    }

    /** Time passes without a word of this host; the others renew if they {@code talk}. Twice in a row makes it LOST. */
    void silence(String id, List<String> talking) {
        clock.pass(SILENCE);
        transact("silence of " + id, hosts::tick, this::countSilence);
        talking.stream()
                .filter(other -> !other.equals(id) && host(other).state != HostState.LOST)
                .forEach(this::renew);
    }

    private List<String> countSilence() {
        List<ModelHost> counted = model.hosts.values().stream()
                .filter(host -> host.state != HostState.LOST)
                .toList();
        counted.forEach(host -> {
            host.silentMillis += SILENCE.toMillis();
            host.state = HostState.SUSPECT;
        });
        List<ModelHost> lost = counted.stream()
                .filter(host -> host.silentMillis >= TIMES.lostAfter().toMillis())
                .toList();
        lost.forEach(host -> model.lose(host, host.epoch + 1));
        return lost.stream().map(host -> host.id).toList();
    }

    /** Whatever happened, the ledger tells what the tables hold, and in the end that all that was made is gone. */
    void checkLedger() {
        Ledger ledger = new Ledger(jdbi);
        assertThat(ledger.unlikeTables()).as("ledger and tables").isEmpty();
        assertThat(ledger.live()).as("what lives by the ledger").isEmpty();
        long reservations = ledger.counts(null).get(0).created();
        assertThat(reservations).as("reservations made").isEqualTo(model.slots.size());
    }

    ModelHost host(String id) {
        return Objects.requireNonNull(model.hosts.get(id));
    }

    Optional<SlotView> slot(String id) {
        return now.slot(id);
    }

    private long lease(ModelHost host, long epoch) {
        int vms = host.milliCpus / Fleet.SMALL.milliCpus();
        Capacity offered = new Capacity(host.milliCpus, Fleet.SMALL.hostMemoryMib() * vms, Fleet.SMALL.diskMib() * vms);
        return hosts.lease(new LeaseRequest(
                        host.id,
                        "1",
                        offered,
                        Arch.X86_64,
                        "simulated",
                        epoch,
                        List.of(),
                        null,
                        null,
                        null,
                        null,
                        host.labels,
                        null))
                .epoch();
    }

    private static boolean done(Runnable call) {
        call.run();
        return true;
    }
}
