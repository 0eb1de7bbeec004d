package dev.mayfly.activities.gitlab;

import java.time.Instant;
import java.util.List;
import org.jdbi.v3.sqlobject.SingleValue;
import org.jdbi.v3.sqlobject.config.RegisterConstructorMapper;
import org.jdbi.v3.sqlobject.customizer.Bind;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.jspecify.annotations.Nullable;

/** Statements on runners. */
@RegisterConstructorMapper(RunnerRow.class)
@RegisterConstructorMapper(RunnerDao.SlotNow.class)
interface RunnerDao {

    @SqlQuery("""
            select slot_id, instance, project_id, runner_id, removed_at is not null as removed
            from runner where slot_id = :slot""")
    @Nullable
    RunnerRow ofSlot(@Bind("slot") String slot);

    @SqlQuery("select token from runner where slot_id = :slot")
    @SingleValue
    byte @Nullable [] sealedToken(@Bind("slot") String slot);

    @SqlQuery("select exists (select from runner where instance = :instance and runner_id = :runner)")
    boolean isOurs(@Bind("instance") String instance, @Bind("runner") long runner);

    @SqlQuery("""
            select slot.host_id, slot.epoch, host.epoch as host_epoch, slot.released_at is not null as released,
                slot.claimed_by is not null as claimed
            from slot join host on host.id = slot.host_id where slot.id = :slot""")
    @Nullable
    SlotNow slot(@Bind("slot") String slot);

    /** False if the slot has a runner already. */
    @SqlUpdate("""
            insert into runner (slot_id, instance, project_id, runner_id, tags, token, created_at)
            values (:slot, :instance, :project, :runner, :tags, :token, :now) on conflict (slot_id) do nothing""")
    boolean insert(
            @Bind("slot") String slot,
            @Bind("instance") String instance,
            @Bind("project") long project,
            @Bind("runner") long runner,
            @Bind("tags") List<String> tags,
            @Bind("token") byte[] token,
            @Bind("now") Instant now);

    @SqlUpdate("update runner set tags = :tags where slot_id = :slot")
    void setTags(@Bind("slot") String slot, @Bind("tags") List<String> tags);

    @SqlUpdate("update runner set removed_at = coalesce(removed_at, :now), token = null where slot_id = :slot")
    void setRemoved(@Bind("slot") String slot, @Bind("now") Instant now);

    @SqlUpdate("delete from runner where slot_id = :slot and runner_id = :runner")
    void forget(@Bind("slot") String slot, @Bind("runner") long runner);

    /** The first nonce binds the token; false if another one has. */
    @SqlUpdate("""
            update runner set nonce = :nonce
            where slot_id = :slot and removed_at is null and (nonce is null or nonce = :nonce)""")
    boolean bind(@Bind("slot") String slot, @Bind("nonce") String nonce);

    @SqlQuery("select job_token from slot where claimed_by = :job and job_token is not null")
    @SingleValue
    byte @Nullable [] sealedJobToken(@Bind("job") String job);

    /** What decides over a slot's runner. */
    record SlotNow(String hostId, long epoch, long hostEpoch, boolean released, boolean claimed) {}
}
