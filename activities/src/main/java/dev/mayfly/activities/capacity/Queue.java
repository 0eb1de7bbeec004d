package dev.mayfly.activities.capacity;

import dev.mayfly.activities.placement.Placement;
import dev.mayfly.activities.placement.Request;
import dev.mayfly.activities.placement.Room;
import dev.mayfly.activities.placement.Usage;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** What a dispatcher reads, within its transaction: the queue in order, the hosts, what is used. */
final class Queue {

    private final Handle handle;

    Queue(Handle handle) {
        this.handle = handle;
    }

    /**
     * Gives those that nobody has seen yet their start in virtual time, and promotes the longest waiting if it is time.
     *
     * @param most how many are given their start at once
     */
    void order(int promoteEvery, int most) {
        handle.createUpdate("""
                        with due as (
                            select grants / :every as promotions from promotion),
                        promoted as (
                            update queue set aged = true where job_key = any(array(
                                select job_key from queue where waiting and not aged and start is not null
                                order by place limit (select promotions from due)))),
                        counted as (
                            update promotion set grants = grants % :every where grants >= :every),
                        fresh as (
                            select job_key, project, priority,
                                sum(charge) over (partition by project, priority order by place) - charge as before
                            from (select * from queue where start is null order by place limit :most) as unseen)
                        update queue set start = fresh.before + coalesce(greatest(
                                (select time from virtual_clock where virtual_clock.priority = fresh.priority),
                                (select finish from project_share as share
                                    where share.project = fresh.project and share.priority = fresh.priority),
                                (select last.start + last.charge from queue as last
                                    where last.project = fresh.project and last.priority = fresh.priority
                                        and last.waiting and last.start is not null
                                    order by last.start desc limit 1)), 0)
                        from fresh where queue.job_key = fresh.job_key""").bind("every", promoteEvery).bind("most", most).execute();
    }

    /**
     * The next of those that wait, in order.
     *
     * @param after the last one of the page before; null for the first page
     * @param without projects that are left out
     */
    List<QueuedJob> page(@Nullable QueuedJob after, Collection<String> without, int most) {
        return handle.createQuery("""
                        select queue.job_key, job.instance, job.project_path, job.arch, job.milli_cpus, job.memory_mib,
                            job.disk_mib, job.labels, queue.passed, queue.expected_millis, queue.project, queue.priority,
                            queue.start, queue.aged, queue.level, queue.rank, queue.place
                        from queue join job on job.key = queue.job_key
                        where queue.waiting and job.left_at is null and queue.start is not null
                            and (queue.level, queue.rank, queue.place) > (:level, :rank, :place)
                            and queue.project <> all(:without)
                            and not exists (select from holding where holding.job_key = queue.job_key)
                        order by queue.level, queue.rank, queue.place limit :most""")
                .bind("level", after == null ? Integer.MIN_VALUE : after.level())
                .bind("rank", after == null ? Double.NEGATIVE_INFINITY : after.rank())
                .bind("place", after == null ? 0L : after.place())
                .bindArray("without", String.class, without)
                .bind("most", most)
                .map((row, context) -> job(row))
                .list();
    }

    /** How many are before it, plus one; null if it does not wait, or nobody has seen it yet. */
    @Nullable
    Integer position(String job) {
        return handle.createQuery("""
                        select (select count(*) from queue as other where other.waiting
                                and (other.level, other.rank, other.place) < (queue.level, queue.rank, queue.place)) + 1
                        from queue where queue.job_key = :job and queue.waiting and queue.start is not null""")
                .bind("job", job)
                .mapTo(Integer.class)
                .findOne()
                .orElse(null);
    }

    private static QueuedJob job(ResultSet row) throws SQLException {
        long expected = row.getLong("expected_millis"); // 0 also where it is null
        Request request = new Request(
                row.getString("job_key"),
                row.getString("instance"),
                row.getString("project_path"),
                size(row),
                labels(row),
                row.getInt("passed"),
                expected == 0 ? null : Duration.ofMillis(expected));
        return new QueuedJob(
                request,
                row.getString("project"),
                row.getInt("priority"),
                row.getDouble("start"),
                row.getBoolean("aged"),
                row.getInt("level"),
                row.getDouble("rank"),
                row.getLong("place"));
    }

    /** Every host that is not LOST, by its id; one that is avoided now is not ready if there is another like it. */
    List<Room> rooms(double cpuOvercommit, Instant now) {
        List<Avoidance.Host> hosts = handle.createQuery("""
                        select id, epoch, accepting, arch, labels, milli_cpus, memory_mib, disk_mib, used_milli_cpus,
                            used_memory_mib, used_disk_mib, coalesce(avoided_until > :now, false) as avoided
                        from host where state <> 'LOST' and forgotten_at is null order by id""")
                .bind("now", now)
                .map((row, context) -> new Avoidance.Host(room(row, cpuOvercommit), row.getBoolean("avoided")))
                .list();
        return Avoidance.apply(hosts);
    }

    private static Room room(ResultSet row, double cpuOvercommit) throws SQLException {
        Capacity capacity = new Capacity(row.getInt("milli_cpus"), row.getInt("memory_mib"), row.getInt("disk_mib"));
        return new Room(
                row.getString("id"),
                row.getLong("epoch"),
                row.getBoolean("accepting"),
                Arch.ofTag(row.getString("arch")),
                labels(row),
                capacity,
                new Capacity(
                        (int) (capacity.milliCpus() * cpuOvercommit) - row.getInt("used_milli_cpus"),
                        capacity.memoryMib() - row.getInt("used_memory_mib"),
                        capacity.diskMib() - row.getInt("used_disk_mib")),
                List.of());
    }

    /** By host, the slots whose end is expected at some time. */
    Map<String, List<Room.Running>> running() {
        Map<String, List<Room.Running>> running = new HashMap<>();
        handle.createQuery("""
                        select slot.host_id, slot.arch, slot.milli_cpus, slot.memory_mib, slot.disk_mib, slot.expected_end
                        from slot join host on host.id = slot.host_id and host.epoch = slot.epoch
                        where slot.released_at is null and slot.expected_end is not null
                        order by slot.host_id, slot.expected_end""")
                .map((row, context) -> running.computeIfAbsent(row.getString("host_id"), host -> new ArrayList<>())
                        .add(new Room.Running(
                                Placement.taken(size(row)),
                                row.getObject("expected_end", OffsetDateTime.class)
                                        .toInstant())))
                .list();
        return running;
    }

    /** How many slots of those made since then wait for their job; counts no further than {@code most}. */
    int starting(Instant since, int most) {
        return handle.createQuery("""
                        select count(*) from (
                            select from slot where claimed_at is null and released_at is null and created_at > :since
                            limit :most) as few""")
                .bind("since", since)
                .bind("most", most)
                .mapTo(Integer.class)
                .one();
    }

    /** What every project's slots take. */
    List<Usage> usage() {
        return handle.createQuery("""
                        select job.instance, job.project_path, count(*) as jobs, sum(slot.milli_cpus) as milli_cpus,
                            sum(slot.memory_mib) as memory_mib
                        from slot join job on job.key = slot.made_for
                            join host on host.id = slot.host_id and host.epoch = slot.epoch
                        where slot.released_at is null
                        group by job.instance, job.project_path""")
                .map((row, context) -> new Usage(
                        row.getString("instance"),
                        row.getString("project_path"),
                        row.getInt("jobs"),
                        row.getLong("milli_cpus"),
                        row.getLong("memory_mib")))
                .list();
    }

    private static Set<String> labels(ResultSet row) throws SQLException {
        return new TreeSet<>(List.of((String[]) row.getArray("labels").getArray()));
    }

    private static VmSize size(ResultSet row) throws SQLException {
        return new VmSize(
                Arch.ofTag(row.getString("arch")),
                row.getInt("milli_cpus"),
                row.getInt("memory_mib"),
                row.getInt("disk_mib"));
    }
}
