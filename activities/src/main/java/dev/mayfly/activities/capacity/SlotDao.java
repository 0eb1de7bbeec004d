package dev.mayfly.activities.capacity;

import java.time.Instant;
import java.util.List;
import org.jdbi.v3.sqlobject.config.RegisterConstructorMapper;
import org.jdbi.v3.sqlobject.customizer.Bind;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.jspecify.annotations.Nullable;

/** Statements on slots, holdings and the queue, without rules: those are {@link Holdings}'. */
@RegisterConstructorMapper(SlotRow.class)
interface SlotDao {

    String SELECT = """
            select slot.id, slot.host_id, slot.epoch, slot.arch, slot.milli_cpus, slot.memory_mib, slot.disk_mib, slot.owner,
                holding.job_key as holder, slot.claimed_by, slot.generation, host.epoch as host_epoch, slot.created_at,
                slot.released_by
            from slot join host on host.id = slot.host_id left join holding on holding.slot_id = slot.id
            """;

    @SqlQuery(SELECT + "where slot.id = :id")
    @Nullable
    SlotRow slot(@Bind("id") String id);

    @SqlQuery(SELECT + "where holding.job_key = :job")
    @Nullable
    SlotRow heldBy(@Bind("job") String job);

    @SqlQuery(SELECT + "where slot.claimed_by = :job")
    @Nullable
    SlotRow claimedBy(@Bind("job") String job);

    @SqlQuery(SELECT + "where slot.owner = :owner and slot.released_at is null order by slot.created_at, slot.id")
    List<SlotRow> ownedBy(@Bind("owner") String owner);

    @SqlQuery(SELECT + "where slot.host_id = :host and slot.released_at is null order by slot.created_at, slot.id")
    List<SlotRow> on(@Bind("host") String host);

    @SqlQuery(SELECT + "where slot.released_at is null order by slot.created_at, slot.id")
    List<SlotRow> live();

    /** Whether the slot's host has the labels that the job asks for. */
    @SqlQuery("""
            select host.labels @> job.labels from job, slot join host on host.id = slot.host_id
            where slot.id = :id and job.key = :job""")
    boolean suits(@Bind("id") String id, @Bind("job") String job);

    @SqlUpdate("update slot set owner = :owner, generation = nextval('generation') where id = :id")
    void setOwner(@Bind("id") String id, @Bind("owner") String owner);

    /** For a change of holdings that leaves the owner. */
    @SqlUpdate("update slot set generation = nextval('generation') where id = :id")
    void touch(@Bind("id") String id);

    @SqlUpdate("""
            update slot set owner = :job, claimed_by = :job, job_token = :token, claimed_at = :now,
                generation = nextval('generation') where id = :id""")
    void setClaim(
            @Bind("id") String id, @Bind("job") String job, @Bind("token") byte[] token, @Bind("now") Instant now);

    @SqlUpdate("""
            update slot set released_by = owner, owner = null, released_at = :now, job_token = null,
                generation = nextval('generation') where id = :id""")
    void release(@Bind("id") String id, @Bind("now") Instant now);

    @SqlUpdate("insert into holding (job_key, slot_id) values (:job, :slot)")
    void setHolding(@Bind("job") String job, @Bind("slot") String slot);

    @SqlUpdate("delete from holding where slot_id = :slot")
    void dropHolding(@Bind("slot") String slot);

    /**
     * The job waits from now on: at a new place if it never waited, else at its old one. How long it will take its slot is
     * what 9 of 10 of its like kept to lately, if there were enough of them to say so.
     */
    @SqlUpdate("""
            insert into queue (job_key, waiting, project, priority, charge, expected_millis)
            values (:job, true, :project, :priority, :charge, (
                select case when count(*) >= 3 then percentile_disc(0.9) within group (order by millis) end
                from (select cast(extract(epoch from like_it.finished_at - like_it.launched_at) * 1000 as bigint) as millis
                    from job as asked join job as like_it on like_it.instance = asked.instance
                        and like_it.project_id = asked.project_id and like_it.name = asked.name
                    where asked.key = :job and like_it.outcome = 'SUCCEEDED'
                    order by like_it.finished_at desc limit 20) as lately))
            on conflict (job_key) do update set waiting = true where not queue.waiting""")
    void enqueue(
            @Bind("job") String job,
            @Bind("project") String project,
            @Bind("priority") int priority,
            @Bind("charge") double charge);

    @SqlUpdate("update queue set waiting = :waiting where job_key = :job")
    void setWaiting(@Bind("job") String job, @Bind("waiting") boolean waiting);

    @SqlUpdate("delete from queue where job_key = :job")
    void dequeue(@Bind("job") String job);

    @SqlQuery("select left_at is not null or status_rank >= 5 from job where key = :job")
    @Nullable
    Boolean hasLeftOrEnded(@Bind("job") String job);

    @SqlQuery("select left_at is not null or refusal is not null from job where key = :job")
    @Nullable
    Boolean hasLeftOrIsRefused(@Bind("job") String job);
}
