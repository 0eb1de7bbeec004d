package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.LARGE;
import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import org.junit.jupiter.api.Test;

/** Claims that change no holding: refused ones, and void ones. */
class ClaimRefusedTest extends WithFleet {

    @Test
    void aClaimOfAJobThatHasLeftIsVoidAndChangesNothing() {
        fleet.host("a", 2);
        Holding slot = fleet.holds(ten);
        fleet.holds(eleven);
        fleet.capacity.leave(eleven.key());

        ClaimOutcome outcome = fleet.claim(slot, eleven);

        assertThat(outcome.reply().verdict()).isEqualTo(Verdict.VOID);
        assertThat(outcome.reply().executor()).isNull();
        assertThat(fleet.holds(ten)).isEqualTo(slot);
        assertThat(fleet.signals()).isEmpty();
    }

    @Test
    void aClaimOfAJobThatGitLabSaidHasEndedIsVoid() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        fleet.jobs.upsertSeen(eleven, "pending");
        fleet.jobs.recordStatus(eleven.key(), "canceled");

        assertThat(fleet.claim(slot, eleven).reply().verdict()).isEqualTo(Verdict.VOID);
        assertThat(fleet.holds(ten)).isEqualTo(slot);
    }

    @Test
    void aClaimOfARefusedJobIsVoidWithItsReason() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);

        ClaimOutcome outcome = fleet.claim(slot, job(11, null), "the docker executor is not available here");

        assertThat(outcome.reply().verdict()).isEqualTo(Verdict.VOID);
        assertThat(outcome.reply().reason()).contains("docker executor");
    }

    @Test
    void aJobNeverRunsInAnotherSize() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);

        ClaimOutcome outcome = fleet.claim(slot, job(11, LARGE));

        assertThat(outcome.reply().verdict()).isEqualTo(Verdict.VOID);
        assertThat(outcome.reply().reason()).contains("4c/8g").contains("2c/4g");
    }

    @Test
    void aReportOfAnOldEpochIsRefused() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        assertThat(fleet.loseSilentHosts()).containsExactly("a");

        assertThat(fleet.claim(slot, ten).reply().verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(fleet.capacity.hold(ten)).isNull();
    }

    @Test
    void aReportForAReleasedOrUnknownSlotIsRefused() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        fleet.capacity.leave(ten.key());
        fleet.capacity.release(ten.key(), slot.slotId());

        assertThat(fleet.claim(slot, eleven).reply().verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(fleet.jobs.find(eleven.key()))
                .as("a refused claim starts nothing")
                .hasValueSatisfying(
                        row -> assertThat(row.slotId()).as("slot of the row").isNull());
        Holding never = new Holding("zzzzz-1", "a", 1, SMALL, 1, null);
        assertThat(fleet.claim(never, eleven).reply().verdict()).isEqualTo(Verdict.REFUSED);
    }

    @Test
    void aReportByAnotherHostIsRefused() {
        fleet.host("a", 1);
        fleet.host("b", 1);
        Holding slot = fleet.holds(ten);
        ClaimReport report = new ClaimReport("b", slot.slotId(), slot.epoch(), 7, 10, "t");

        assertThat(fleet.capacity
                        .claimed("b", report, new ClaimedJob(ten, null))
                        .reply()
                        .verdict())
                .isEqualTo(Verdict.REFUSED);
    }

    @Test
    void aSecondClaimByTheSameSlotAndASecondClaimOfTheSameJobAreRefused() {
        fleet.host("a", 2);
        Holding slot = fleet.holds(ten);
        Holding other = fleet.holds(eleven);
        fleet.claim(slot, ten);

        assertThat(fleet.claim(slot, eleven).reply().verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(fleet.claim(other, ten).reply().verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(fleet.holds(eleven)).isEqualTo(other);
    }
}
