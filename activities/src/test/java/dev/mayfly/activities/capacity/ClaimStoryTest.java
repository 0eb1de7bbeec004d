package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.Holding;
import org.junit.jupiter.api.Test;

/** Why a job goes on with another slot is told to both jobs of an exchange, in one sentence that the log has too. */
class ClaimStoryTest extends WithFleet {

    @Test
    void crossedClaimsAreToldToBothJobs() {
        fleet.host("a", 2);
        Holding first = fleet.holds(ten);
        Holding second = fleet.holds(eleven);

        ClaimOutcome outcome = fleet.claim(second, ten);

        String sentence = "GitLab handed slot %s job 10; job 11, which waited in it, goes on with slot %s"
                .formatted(second.slotId(), first.slotId());
        assertThat(outcome.story()).isEqualTo(sentence);
        assertThat(fleet.told()).containsExactly("10: " + sentence, "11: " + sentence);
    }

    @Test
    void aClaimOfAQueuedJobIsToldToBoth() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        fleet.capacity.hold(eleven);

        fleet.claim(slot, eleven);

        String sentence = "GitLab handed slot %s job 11; job 10, which waited in it, goes back to the queue"
                .formatted(slot.slotId());
        assertThat(fleet.told()).containsExactly("11: " + sentence, "10: " + sentence);
    }

    @Test
    void theClaimThatEveryJobWaitsForIsTheLogsAlone() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);

        ClaimOutcome outcome = fleet.claim(slot, ten);

        assertThat(outcome.story())
                .isEqualTo("GitLab handed slot %s job 10, which waited in it".formatted(slot.slotId()));
        assertThat(fleet.told()).isEmpty();
    }

    @Test
    void aJobThatComesBackToTheSlotThatItGaveUpIsToldSo() {
        fleet.host("a", 2);
        Holding given = fleet.holds(ten);
        fleet.capacity.giveUp(ten.key(), given.slotId(), null);
        Holding fresh = fleet.holds(ten);

        fleet.claim(given, ten);

        assertThat(fleet.told())
                .containsExactly("10: GitLab handed slot %s job 10, which had given it up for slot %s"
                        .formatted(given.slotId(), fresh.slotId()));
    }

    @Test
    void aJobThatComesBackFromTheQueueIsToldSo() {
        fleet.host("a", 1);
        Holding given = fleet.holds(ten);
        fleet.capacity.giveUp(ten.key(), given.slotId(), null);

        fleet.claim(given, ten);

        assertThat(fleet.told())
                .containsExactly("10: GitLab handed slot %s job 10, which had given it up".formatted(given.slotId()));
    }

    @Test
    void whoOnlyDismantledTheSlotIsToldWhatItDismantlesInstead() {
        fleet.host("a", 2);
        Holding slot = fleet.holds(ten);
        Holding other = fleet.holds(eleven);
        fleet.capacity.leave(ten.key());

        fleet.claim(slot, eleven);

        String sentence =
                "GitLab handed slot %s job 11; job 10 dismantles slot %s".formatted(slot.slotId(), other.slotId());
        assertThat(fleet.told()).containsExactly("11: " + sentence, "10: " + sentence);
    }

    @Test
    void theSweeperLeavesASlotThatIsClaimed() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);
        fleet.capacity.sweep(slot.slotId(), slot.generation());

        fleet.claim(slot, job(12, SMALL));

        assertThat(fleet.told())
                .containsExactly("12: GitLab handed slot %s job 12; the sweeper leaves it".formatted(slot.slotId()));
    }

    @Test
    void aJobWhoseHostIsLostIsToldSo() {
        fleet.host("a", 1);
        Holding slot = fleet.holds(ten);

        fleet.loseSilentHosts();

        assertThat(fleet.told())
                .containsExactly("10: slot %s went with host a, which was LOST".formatted(slot.slotId()));
    }
}
