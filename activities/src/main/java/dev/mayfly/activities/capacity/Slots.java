package dev.mayfly.activities.capacity;

import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.mapper.reflect.ConstructorMapper;

/** What the sweeper and REST read about slots and runners. Reads only; changes are {@link PostgresCapacity}'s. */
public final class Slots {

    private final Jdbi jdbi;

    public Slots(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    /** All slots that are not released, oldest first. */
    public List<SlotView> live() {
        return jdbi.withExtension(SlotDao.class, SlotDao::live).stream()
                .map(SlotRow::toView)
                .toList();
    }

    /** The slot, if it is not released. */
    public Optional<SlotView> find(String slotId) {
        return Optional.ofNullable(jdbi.withExtension(SlotDao.class, slots -> slots.slot(slotId)))
                .filter(slot -> !slot.isReleased())
                .map(SlotRow::toView);
    }

    /** Runners not confirmed as removed. */
    public List<RunnerView> runners() {
        return jdbi.withHandle(handle -> handle.createQuery("""
                        select runner.slot_id, runner.instance, runner.project_id, runner.runner_id, runner.tags,
                            slot.released_at as slot_released_at, runner.created_at
                        from runner join slot on slot.id = runner.slot_id
                        where runner.removed_at is null order by runner.created_at""")
                .map(ConstructorMapper.of(RunnerView.class))
                .list());
    }
}
