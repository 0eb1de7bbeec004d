package dev.mayfly.activities.capacity;

import dev.mayfly.activities.db.Database;
import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.installation.Installation;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.ledger.Ledger;
import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.activities.outbox.Outbox.Message;
import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.testkit.MovableClock;
import dev.mayfly.testkit.PostgresExtension;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.agentapi.AgentApi.DestroyedSlot;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.VmSize;
import java.lang.module.ModuleDescriptor.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The control plane's data access on a test database, with short ways to say what tests need. */
public final class Fleet implements AutoCloseable {

    public static final VmSize SMALL = VmSize.of(2000, 4096, 10_240);
    public static final VmSize LARGE = VmSize.of(4000, 8192, 10_240);

    public final Database database;
    public final MovableClock clock = new MovableClock();
    public final LeaseTimes times = LeaseTimes.defaults();
    public final Sealer sealer = new Sealer("test", new byte[32]);
    public final Outbox outbox;
    public final PostgresCapacity capacity;
    public final Hosts hosts;
    public final Jobs jobs;
    public final Slots slots;
    public final Ledger ledger;
    public final Installation installation;

    public Fleet(PostgresExtension postgres) {
        database = Database.open(new DatabaseConfig(postgres.url(), postgres.user(), postgres.password(), 8));
        installation = new Installation(database.jdbi());
        outbox = new Outbox(database.jdbi(), clock);
        capacity = new PostgresCapacity(database.jdbi(), clock, outbox, sealer);
        hosts = new Hosts(database.jdbi(), clock, outbox, times, Version.parse("1"));
        jobs = new Jobs(database.jdbi(), clock);
        slots = new Slots(database.jdbi());
        ledger = new Ledger(database.jdbi());
    }

    /** As new, but for the installation and the sequences. */
    public void empty() {
        database.jdbi()
                .useHandle(
                        handle -> handle.execute(
                                "truncate host, job, forecast, queue, slot, holding, runner, stand_in_runner, ledger, inbox, outbox, project_share, virtual_clock; update promotion set grants = 0"));
    }

    @Override
    public void close() {
        database.close();
    }

    public static CiJob job(long id, @Nullable VmSize size) {
        List<String> tags = size == null ? List.of("shell") : List.of("actuated-" + size.vcpus() + "cpu", "shell");
        return job(id, tags, size, Executor.SHELL);
    }

    public static CiJob job(long id, List<String> tags, @Nullable VmSize size, Executor executor) {
        return job(id, tags, size, executor, List.of());
    }

    public static CiJob job(long id, List<String> tags, @Nullable VmSize size, Executor executor, List<String> labels) {
        return new CiJob(
                new JobKey("gl", 7, id),
                "acme/app",
                "test",
                "test",
                "main",
                "a1b2c3",
                700,
                "https://gitlab.test/acme/app/-/jobs/" + id,
                "ada",
                tags,
                size,
                executor,
                labels);
    }

    /** A host with room for this many small VMs. */
    public long host(String id, int smallVms) {
        return lease(id, 0, smallVms);
    }

    public long lease(String id, long epoch, int smallVms, SlotReport... inventory) {
        return lease(id, epoch, smallVms, "qemu", List.of(inventory), List.of());
    }

    /** An {@code arm64} host. */
    public long armHost(String id, int smallVms) {
        return lease(id, Arch.ARM64, 0, smallVms, "qemu", List.of(), List.of());
    }

    public long lease(
            String id,
            long epoch,
            int smallVms,
            String driver,
            List<SlotReport> inventory,
            List<DestroyedSlot> destroyed) {
        return lease(id, Arch.X86_64, epoch, smallVms, driver, inventory, destroyed);
    }

    private long lease(
            String id,
            Arch arch,
            long epoch,
            int smallVms,
            String driver,
            List<SlotReport> inventory,
            List<DestroyedSlot> destroyed) {
        Capacity offered = new Capacity(
                SMALL.milliCpus() * smallVms, SMALL.hostMemoryMib() * smallVms, SMALL.diskMib() * smallVms);
        return hosts.lease(new LeaseRequest(
                        id,
                        "1",
                        offered,
                        arch,
                        driver,
                        epoch,
                        inventory,
                        destroyed,
                        "an-image",
                        null,
                        null,
                        List.of(),
                        null))
                .epoch();
    }

    /** Lets time pass in which no host calls and a control plane counts. */
    public void silence(Duration time) {
        hosts.tick();
        for (long left = time.toSeconds(); left > 0; left -= 10) {
            clock.pass(Duration.ofSeconds(10));
            hosts.tick();
        }
    }

    /** The job's holding, which must be there. */
    public Holding holds(CiJob job) {
        return Objects.requireNonNull(capacity.hold(job), () -> job.title() + " holds no slot");
    }

    public ClaimOutcome claim(Holding slot, CiJob job) {
        return claim(slot, job, null);
    }

    public ClaimOutcome claim(Holding slot, CiJob job, @Nullable String refusal) {
        ClaimReport report = new ClaimReport(
                slot.hostId(),
                slot.slotId(),
                slot.epoch(),
                job.key().projectId(),
                job.key().jobId(),
                "glcbt-secret");
        return capacity.claimed(slot.hostId(), report, new ClaimedJob(job, refusal));
    }

    /** Makes a host LOST by silence. */
    public List<String> loseSilentHosts() {
        List<String> lost = new ArrayList<>();
        hosts.tick();
        for (int i = 0; i < 13; i++) {
            clock.pass(Duration.ofSeconds(10));
            lost.addAll(hosts.tick());
        }
        return lost;
    }

    /** What the outbox sends now, each as {@code <job id> <signal> [slot] [start]}. */
    public List<String> signals() {
        List<String> sent = new ArrayList<>();
        outbox.drain(1000, message -> sent.add(words(message)));
        return sent;
    }

    /** What the outbox tells people now, each as {@code <job id>: <sentence>}; the signals are gone with it. */
    public List<String> told() {
        List<String> told = new ArrayList<>();
        outbox.drain(1000, message -> {
            if (message.text() != null) {
                told.add("%d: %s".formatted(JobKey.parse(message.workflowId()).jobId(), message.text()));
            }
        });
        return told;
    }

    private static String words(Message message) {
        return JobKey.parse(message.workflowId()).jobId()
                + " "
                + message.signal()
                + (message.holding() == null ? "" : " " + message.holding().slotId())
                + (message.start() == null ? "" : " start");
    }
}
