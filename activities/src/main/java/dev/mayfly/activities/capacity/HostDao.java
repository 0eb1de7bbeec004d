package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jdbi.v3.sqlobject.config.KeyColumn;
import org.jdbi.v3.sqlobject.config.RegisterConstructorMapper;
import org.jdbi.v3.sqlobject.config.ValueColumn;
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

    @SqlQuery("select * from host where forgotten_at is null order by id")
    List<HostRow> all();

    /** Of those that call: their newest figures. */
    @SqlQuery("""
            select id, figures from host where state <> 'LOST' and forgotten_at is null and figures is not null order by id""")
    @KeyColumn("id")
    @ValueColumn("figures")
    Map<String, String> figures();

    @SqlQuery("select id, arch, milli_cpus, memory_mib, disk_mib from host where forgotten_at is null")
    List<HostOffer> offers();

    @SqlUpdate("""
            insert into host (id, state, epoch, arch, driver, agent_version, milli_cpus, memory_mib, disk_mib,
                registered_at, renewed_at, inventory, figures, boot_id, clock_ahead_millis, outdated, own_labels)
            values (:request.hostId, 'READY', 1, :request.arch.tag, :request.driver, :request.agentVersion,
                :request.capacity.milliCpus, :request.capacity.memoryMib, :request.capacity.diskMib, :now, :now,
                cast(:inventory as jsonb), cast(:figures as jsonb), :request.bootId, :ahead, :outdated, :request.labels)
            on conflict (id) do nothing""")
    int register(
            @BindMethods("request") LeaseRequest request,
            @Bind("inventory") String inventory,
            @Bind("figures") @Nullable String figures,
            @Bind("ahead") long clockAheadMillis,
            @Bind("outdated") boolean outdated,
            @Bind("now") Instant now);

    /**
     * Only for an agent that knows the epoch; it has destroyed everything older. Never for a boot that is over: null
     * then. Else whether it is to reboot now.
     */
    @SqlQuery("""
            update host set state = 'READY', silent_millis = 0, renewed_at = :now, arch = :request.arch.tag,
                driver = :request.driver, agent_version = :request.agentVersion,
                milli_cpus = :request.capacity.milliCpus, memory_mib = :request.capacity.memoryMib,
                disk_mib = :request.capacity.diskMib, inventory = cast(:inventory as jsonb),
                figures = cast(:figures as jsonb),
                shrunk = used_milli_cpus > :request.capacity.milliCpus
                    or used_memory_mib > :request.capacity.memoryMib or used_disk_mib > :request.capacity.diskMib,
                boot_id = coalesce(:request.bootId, boot_id),
                previous_boot_id = case when boot_id <> :request.bootId then boot_id else previous_boot_id end,
                draining_since = case when reboot_of <> :request.bootId then null else draining_since end,
                reboot_of = case when reboot_of <> :request.bootId then null else reboot_of end,
                clock_ahead_millis = :ahead, outdated = :outdated, forgotten_at = null, own_labels = :request.labels
            where id = :request.hostId and epoch = :request.epoch
                and coalesce(previous_boot_id <> :request.bootId, true)
            returning reboot_of is not null and used_memory_mib = 0 and inventory = '[]'""")
    @Nullable
    Boolean renew(
            @BindMethods("request") LeaseRequest request,
            @Bind("inventory") String inventory,
            @Bind("figures") @Nullable String figures,
            @Bind("ahead") long clockAheadMillis,
            @Bind("outdated") boolean outdated,
            @Bind("now") Instant now);

    /** Others are preferred until then. */
    @SqlUpdate("update host set avoided_until = :until, avoided_because = :why where id = :id")
    void avoid(@Bind("id") String id, @Bind("until") Instant until, @Bind("why") String why);

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

    /** Since now, unless it does already. */
    @SqlUpdate(
            "update host set draining_since = coalesce(draining_since, :now) where id = :id and forgotten_at is null")
    boolean drain(@Bind("id") String id, @Bind("now") Instant now);

    @SqlUpdate("update host set draining_since = null, reboot_of = null where id = :id and forgotten_at is null")
    boolean undrain(@Bind("id") String id);

    @SqlUpdate("""
            update host set given_labels = array_append(array_remove(given_labels, :label), :label)
            where id = :id and forgotten_at is null""")
    boolean label(@Bind("id") String id, @Bind("label") String label);

    @SqlUpdate("""
            update host set given_labels = array_remove(given_labels, :label) where id = :id and forgotten_at is null""")
    boolean unlabel(@Bind("id") String id, @Bind("label") String label);

    @SqlUpdate("update host set reboot_of = boot_id where id = :id")
    void rebootWhenEmpty(@Bind("id") String id);

    @SqlUpdate("""
            update host set forgotten_at = :now, draining_since = null, reboot_of = null, boot_id = null,
                previous_boot_id = null, given_labels = '{}' where id = :id""")
    void forget(@Bind("id") String id, @Bind("now") Instant now);

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
