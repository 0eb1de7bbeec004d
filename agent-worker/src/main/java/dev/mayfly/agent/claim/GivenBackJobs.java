package dev.mayfly.agent.claim;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Jobs that GitLab handed to a slot which may not run them: each is failed in GitLab, in the background, since what comes
 * next must not wait for it. Kept in {@link ClaimStore} until GitLab has heard of it, over restarts of the agent. On the
 * event thread.
 */
final class GivenBackJobs {

    private static final Logger LOG = LoggerFactory.getLogger(GivenBackJobs.class);

    private final SlotContext slot;
    private final DeadVmSpeaker speaker;

    GivenBackJobs(SlotContext slot, DeadVmSpeaker speaker) {
        this.slot = slot;
        this.speaker = speaker;
    }

    /** @param why one sentence for the job's author, who finds it in the job's log */
    void add(ClaimedJob job, String why) {
        try {
            slot.store().keepGivenBack(job.id(), job.payload());
        } catch (IOException e) {
            // GitLab is told all the same, unless the agent ends first.
            LOG.error("slot {}: that {} is given back can't be stored: {}", slot.id(), slot.keyOf(job), e.toString());
        }
        fail(job, why);
    }

    /** Goes on with what an earlier life of the agent did not get told. */
    void resume() {
        try {
            for (byte[] payload : slot.store().givenBack()) {
                fail(ClaimedJob.parse(payload), "it could not be run here");
            }
        } catch (IOException e) {
            LOG.error(
                    "slot {}: jobs that were given back can't be read; GitLab ends them at their time limits: {}",
                    slot.id(),
                    e.toString());
        }
    }

    private void fail(ClaimedJob job, String why) {
        String words = "ERROR: Job failed (system failure): its runner gave it back: " + why + "\n";
        var unused = speaker.fail(job, "runner_system_failure", words)
                .thenAcceptAsync(spoken -> told(job, spoken), slot.events());
    }

    private void told(ClaimedJob job, DeadVmSpeaker.Spoken spoken) {
        LOG.info("slot {}: {} given back to GitLab: {}", slot.id(), slot.keyOf(job), spoken);
        try {
            slot.store().eraseGivenBack(job.id());
        } catch (IOException e) {
            LOG.warn("slot {}: {} will be given back once more: {}", slot.id(), slot.keyOf(job), e.toString());
        }
    }
}
