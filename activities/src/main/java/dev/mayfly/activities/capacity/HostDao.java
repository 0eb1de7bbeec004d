package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.List;
import org.jdbi.v3.sqlobject.config.RegisterConstructorMapper;
import org.jdbi.v3.sqlobject.customizer.Bind;
import org.jdbi.v3.sqlobject.customizer.BindMethods;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.jspecify.annotations.Nullable;

/** Statements on hosts. */
@RegisterConstructorMapper(HostRow.class)
@RegisterConstructorMapper(HostOffer.class)
interface HostDao {

    @SqlQuery("select * from host where id = :id")
    @Nullable
    HostRow host(@Bind("id") String id);

    /** In the order in which they are filled. */
    @SqlQuery("select * from host order by id")
    List<HostRow> all();

    @SqlQuery("select id, arch, milli_cpus, memory_mib, disk_mib from host")
    List<HostOffer> offers();

    @SqlUpdate("""
            insert into host (id, state, epoch, arch, driver, agent_version, milli_cpus, memory_mib, disk_mib,
                registered_at, renewed_at, inventory)
            values (:request.hostId, 'READY', 1, :request.arch.tag, :request.driver, :request.agentVersion,
                :request.capacity.milliCpus, :request.capacity.memoryMib, :request.capacity.diskMib, :now, :now,
                cast(:inventory as jsonb))
            on conflict (id) do nothing""")
    int register(
            @BindMethods("request") LeaseRequest request,
            @Bind("inventory") String inventory,
            @Bind("now") Instant now);

    /** Only for an agent that knows the epoch; it has destroyed everything older. */
    @SqlUpdate("""
            update host set state = 'READY', silent_millis = 0, renewed_at = :now, arch = :request.arch.tag,
                driver = :request.driver, agent_version = :request.agentVersion,
                milli_cpus = :request.capacity.milliCpus, memory_mib = :request.capacity.memoryMib,
                disk_mib = :request.capacity.diskMib, inventory = cast(:inventory as jsonb),
                shrunk = used_milli_cpus > :request.capacity.milliCpus
                    or used_memory_mib > :request.capacity.memoryMib or used_disk_mib > :request.capacity.diskMib
            where id = :request.hostId and epoch = :request.epoch""")
    int renew(
            @BindMethods("request") LeaseRequest request,
            @Bind("inventory") String inventory,
            @Bind("now") Instant now);

    /** False if the host has no room for it any more. */
    @SqlUpdate("""
            update host set used_milli_cpus = used_milli_cpus + :size.milliCpus,
                used_memory_mib = used_memory_mib + :size.hostMemoryMib, used_disk_mib = used_disk_mib + :size.diskMib
            where id = :id and epoch = :epoch and state = 'READY'
                and used_milli_cpus + :size.milliCpus <= milli_cpus
                and used_memory_mib + :size.hostMemoryMib <= memory_mib
                and used_disk_mib + :size.diskMib <= disk_mib""")
    boolean reserve(@Bind("id") String id, @Bind("epoch") long epoch, @BindMethods("size") VmSize size);

    /** Does nothing for an old epoch: what was reserved under it went when the host was LOST. */
    @SqlUpdate("""
            update host set used_milli_cpus = used_milli_cpus - :size.milliCpus,
                used_memory_mib = used_memory_mib - :size.hostMemoryMib, used_disk_mib = used_disk_mib - :size.diskMib,
                shrunk = shrunk and (used_milli_cpus - :size.milliCpus > milli_cpus
                    or used_memory_mib - :size.hostMemoryMib > memory_mib or used_disk_mib - :size.diskMib > disk_mib)
            where id = :id and epoch = :epoch""")
    void free(@Bind("id") String id, @Bind("epoch") long epoch, @BindMethods("size") VmSize size);

    @SqlUpdate("""
            update host set state = 'LOST', epoch = :epoch, used_milli_cpus = 0, used_memory_mib = 0,
                used_disk_mib = 0, shrunk = false, inventory = '[]' where id = :id""")
    void lose(@Bind("id") String id, @Bind("epoch") long epoch);

    @SqlQuery("select ticked_at from installation for update")
    @Nullable
    Instant lastTick();

    @SqlUpdate("update installation set ticked_at = :now")
    void setTick(@Bind("now") Instant now);

    @SqlUpdate("update host set silent_millis = silent_millis + :millis where state <> 'LOST'")
    void addSilence(@Bind("millis") long millis);

    @SqlUpdate("update host set state = 'SUSPECT' where state = 'READY' and silent_millis >= :millis")
    int suspect(@Bind("millis") long millis);

    @SqlQuery("select id from host where state <> 'LOST' and silent_millis >= :millis order by id")
    List<String> silentFor(@Bind("millis") long millis);

    /** Locks the host's row if it still is so. */
    @SqlQuery("select epoch from host where id = :id and state <> 'LOST' and silent_millis >= :millis for update")
    @Nullable
    Long epochIfSilentFor(@Bind("id") String id, @Bind("millis") long millis);
}
