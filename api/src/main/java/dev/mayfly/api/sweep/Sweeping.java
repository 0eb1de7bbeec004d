package dev.mayfly.api.sweep;

import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.capacity.PostgresCapacity;
import dev.mayfly.activities.capacity.Slots;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.installation.Installation;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.api.config.SweeperConfig;
import dev.mayfly.api.start.JobIntake;
import dev.mayfly.api.temporal.TemporalConnection;
import dev.mayfly.workflows.Timeouts;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkflowImplementationOptions;
import java.time.Clock;
import java.util.List;

/** Puts the sweeper together: its rules in one list, its workflow and its activities. */
public final class Sweeping {

    private final Sweeper sweeper;
    private final SweptSlots swept;

    /** Made once by the wiring. */
    public Sweeping(
            SweeperConfig config,
            TemporalConnection temporal,
            PostgresCapacity capacity,
            Slots slots,
            Hosts hosts,
            Jobs jobs,
            Installation installation,
            GitLabJobs gitlab,
            JobIntake intake,
            Clock clock) {
        this.swept = new SweptSlots(capacity, slots, temporal.client());
        WorkflowStates workflows = new WorkflowStates(temporal.client());
        List<Rule> rules = List.of(
                new SlotsWithoutWorkflow(slots, workflows, swept),
                new RunnersWithoutSlot(slots, jobs, gitlab),
                new JobsWithoutVm(slots, hosts, jobs, gitlab),
                new JobsWithoutWorkflow(jobs, workflows, intake));
        this.sweeper = new Sweeper(
                rules,
                new Brake(config.brakeCount(), config.brakePercent()),
                config.every().toJavaDuration(),
                config.agreeAfter().toJavaDuration(),
                config.olderThan().toJavaDuration(),
                installation,
                temporal::namespaceId,
                () -> slots.live().size() + slots.runners().size(),
                clock);
    }

    public Sweeper sweeper() {
        return sweeper;
    }

    /** Before the worker starts. */
    public void register(Worker worker, Timeouts timeouts) {
        worker.registerWorkflowImplementationFactory(
                DismantleSlotWorkflow.class,
                () -> new DismantleSlotWorkflowImpl(timeouts),
                WorkflowImplementationOptions.getDefaultInstance());
        worker.registerActivitiesImplementations(swept);
    }
}
