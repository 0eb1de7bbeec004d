package dev.mayfly.activities.capacity;

import dev.mayfly.activities.placement.Decision;
import dev.mayfly.activities.placement.Decision.Grant;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** Writes down what placement decided: all of it in one statement, whatever it makes and moves. */
final class GrantedSlots {

    private static final String WRITE = """
            with granted as (
                select * from unnest(:jobs, :hosts, :epochs, :archs, :cpus, :memory, :hostMemory, :disk, :lasts) with ordinality
                    as grants (job, host, epoch, arch, milli_cpus, memory_mib, host_memory_mib, disk_mib, lasts, nth)),
            reserved as (
                update host set used_milli_cpus = used_milli_cpus + more.milli_cpus,
                    used_memory_mib = used_memory_mib + more.memory_mib, used_disk_mib = used_disk_mib + more.disk_mib
                from (select host, epoch, cast(sum(milli_cpus) as integer) as milli_cpus,
                        cast(sum(host_memory_mib) as integer) as memory_mib, cast(sum(disk_mib) as integer) as disk_mib
                    from granted group by host, epoch) as more
                where host.id = more.host and host.epoch = more.epoch and host.accepting
                    and used_milli_cpus + more.milli_cpus <= host.milli_cpus * :overcommit
                    and used_memory_mib + more.memory_mib <= host.memory_mib
                    and used_disk_mib + more.disk_mib <= host.disk_mib
                returning host.id),
            made as (
                insert into slot (id, host_id, epoch, arch, milli_cpus, memory_mib, disk_mib, made_for, owner, created_at,
                    expected_end)
                select (select id from installation) || '-' || nextval('slot_number'), host, epoch, arch, milli_cpus,
                    memory_mib, disk_mib, job, job, cast(:now as timestamptz),
                    cast(:now as timestamptz) + lasts * interval '1 millisecond'
                from granted order by nth
                returning id, made_for, generation),
            held as (
                insert into holding (job_key, slot_id) select made_for, id from made),
            taken as (
                update queue set waiting = false from made where queue.job_key = made.made_for
                returning queue.project, queue.priority, queue.start + queue.charge as finish),
            charged as (
                insert into project_share (project, priority, finish)
                select project, priority, max(finish) from taken group by project, priority
                on conflict (project, priority) do update
                    set finish = greatest(project_share.finish, excluded.finish)),
            clocks as (
                insert into virtual_clock (priority, time)
                select * from unnest(:priorities, :times)
                on conflict (priority) do update set time = greatest(virtual_clock.time, excluded.time)),
            passed as (
                update queue set passed = passes.count from unnest(:heads, :passes) as passes (head, count)
                where queue.job_key = passes.head),
            counted as (
                update promotion set grants = grants + :count)
            select made.id, made.made_for, made.generation, (select count(*) from reserved) as hosts from made""";

    private final Handle handle;
    private final Instant now;

    GrantedSlots(Handle handle, Instant now) {
        this.handle = handle;
        this.now = now;
    }

    private record Made(String slotId, String job, long generation, int hosts) {}

    /**
     * Makes the slots.
     *
     * @param queued the jobs by their keys
     * @return what each job holds now, in the order of the grants
     * @throws IllegalStateException if a host has changed since it was read; nothing was written
     */
    Map<String, Holding> write(Decision decision, Map<String, QueuedJob> queued, double cpuOvercommit) {
        List<Grant> grants = decision.grants();
        Map<Integer, Double> clocks = clocks(grants, queued);
        List<String> heads = List.copyOf(decision.passed().keySet());
        List<Made> made = handle.createQuery(WRITE)
                .bindArray(
                        "jobs",
                        String.class,
                        each(grants, grant -> grant.request().job()))
                .bindArray(
                        "hosts",
                        String.class,
                        each(grants, grant -> grant.room().hostId()))
                .bindArray(
                        "epochs", Long.class, each(grants, grant -> grant.room().epoch()))
                .bindArray(
                        "archs",
                        String.class,
                        each(grants, grant -> size(grant).arch().tag()))
                .bindArray(
                        "cpus", Integer.class, each(grants, grant -> size(grant).milliCpus()))
                .bindArray(
                        "memory",
                        Integer.class,
                        each(grants, grant -> size(grant).memoryMib()))
                .bindArray(
                        "hostMemory",
                        Integer.class,
                        each(grants, grant -> size(grant).hostMemoryMib()))
                .bindArray(
                        "disk", Integer.class, each(grants, grant -> size(grant).diskMib()))
                .bindArray("lasts", Long.class, lasts(grants))
                .bindArray("priorities", Integer.class, List.copyOf(clocks.keySet()))
                .bindArray("times", Double.class, List.copyOf(clocks.values()))
                .bindArray("heads", String.class, heads)
                .bindArray(
                        "passes",
                        Integer.class,
                        each(
                                heads,
                                head -> Objects.requireNonNull(decision.passed().get(head))))
                .bind("overcommit", cpuOvercommit)
                .bind("count", grants.size())
                .bind("now", now)
                .map((row, context) -> new Made(
                        row.getString("id"), row.getString("made_for"), row.getLong("generation"), row.getInt("hosts")))
                .list();
        check(grants, made);
        return holdings(grants, made);
    }

    private static Map<Integer, Double> clocks(List<Grant> grants, Map<String, QueuedJob> queued) {
        Map<Integer, Double> clocks = new LinkedHashMap<>();
        for (Grant grant : grants) {
            QueuedJob job = Objects.requireNonNull(queued.get(grant.request().job()));
            if (grant.inOrder() && !job.promoted()) {
                clocks.merge(job.priority(), job.start(), Math::max);
            }
        }
        return clocks;
    }

    private static void check(List<Grant> grants, List<Made> made) {
        long wanted =
                grants.stream().map(grant -> grant.room().hostId()).distinct().count();
        if (made.size() != grants.size() || made.stream().anyMatch(one -> one.hosts() != wanted)) {
            throw new IllegalStateException("a host changed while %d jobs were placed on %d hosts; it is tried again"
                    .formatted(grants.size(), wanted));
        }
    }

    private static Map<String, Holding> holdings(List<Grant> grants, List<Made> made) {
        Map<String, Made> byJob = new HashMap<>();
        made.forEach(one -> byJob.put(one.job(), one));
        Map<String, Holding> holdings = new LinkedHashMap<>();
        for (Grant grant : grants) {
            Made one = Objects.requireNonNull(byJob.get(grant.request().job()));
            holdings.put(
                    one.job(),
                    new Holding(
                            one.slotId(),
                            grant.room().hostId(),
                            grant.room().epoch(),
                            size(grant),
                            one.generation(),
                            null));
        }
        return holdings;
    }

    private static VmSize size(Grant grant) {
        return grant.request().size();
    }

    /** Milliseconds, null where nobody knows. */
    private static List<@Nullable Long> lasts(List<Grant> grants) {
        List<@Nullable Long> lasts = new ArrayList<>();
        for (Grant grant : grants) {
            Duration expected = grant.request().expected();
            lasts.add(expected == null ? null : expected.toMillis());
        }
        return lasts;
    }

    private static <T, V> List<V> each(List<T> all, Function<T, V> value) {
        return all.stream().map(value).toList();
    }
}
