package dev.mayfly.api.temporal;

import static org.assertj.core.api.Assertions.assertThat;

import com.uber.m3.util.Duration;
import dev.mayfly.testkit.MovableClock;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TaskLagTest {

    private final MovableClock clock = new MovableClock();
    private final TaskLag lag = new TaskLag(clock);

    @Test
    void aTaskThatWaitedTooLongIsKeptInMindForSomeSeconds() {
        assertThat(lag.isBehind()).as("nothing waited").isFalse();
        waited("workflow_task_schedule_to_start", 2000);
        assertThat(lag.isBehind()).as("not too long").isFalse();
        waited("workflow_task_schedule_to_start", 2001);
        assertThat(lag.isBehind()).isTrue();
        waited("workflow_task_schedule_to_start", 1);
        clock.pass(java.time.Duration.ofMillis(4999));
        assertThat(lag.isBehind()).as("one that was quick is no all-clear").isTrue();
        clock.pass(java.time.Duration.ofMillis(1));
        assertThat(lag.isBehind()).isFalse();
    }

    @Test
    void onlyWhatWaitedToBeStartedCounts() {
        waited("workflow_task_execution", 60_000);
        waited("long_request", 60_000);
        assertThat(lag.isBehind()).isFalse();
        waited("activity_schedule_to_start", 60_000);
        assertThat(lag.isBehind()).isTrue();
    }

    @Test
    void aStepThatBringsWorkIsNotRepeatedAtOnceWhileTasksWait() throws Exception {
        assertThat(lag.paced(() -> true).run()).isTrue();
        assertThat(lag.paced(() -> false).run()).as("there is no more").isFalse();
        waited("activity_schedule_to_start", 60_000);
        assertThat(lag.paced(() -> true).run()).isFalse();
    }

    private void waited(String what, int millis) {
        lag.reportTimer("temporal_" + what + "_latency", Map.of(), Duration.ofMillis(millis));
    }
}
