package dev.mayfly.agent;

import static dev.mayfly.agent.HostRig.SLOT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.VmActivities.DestroyRequest;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class HostVmsTest {

    @TempDir
    Path folder;

    private final WaitingCalls waiting = new WaitingCalls();
    private HostRig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new HostRig(folder);
    }

    @AfterEach
    void stop() {
        waiting.close();
        rig.close();
    }

    private HostVms vms() {
        return new HostVms(rig.slots, rig.broker, rig.identity, waiting);
    }

    private Destroyed destroy(long epoch, @Nullable Long knownClaim) {
        return vms().destroy(new DestroyRequest(SLOT, epoch, knownClaim));
    }

    private static FailureType failure(Runnable call) {
        return FailureType.valueOf(
                catchThrowableOfType(ApplicationFailure.class, call::run).getType());
    }

    @Test
    void callsOfAnotherEpochAreRefused() throws Exception {
        rig.identity.learn(rig.lease(2));
        assertThat(failure(() -> vms().launch(HostRig.request(SLOT)))).isEqualTo(FailureType.WRONG_EPOCH);
        assertThat(failure(() -> destroy(1, null))).isEqualTo(FailureType.WRONG_EPOCH);
        assertThat(rig.driver.calls).isEmpty();
    }

    @Test
    void destroyingWhatNeverRanLeavesATombstone() {
        assertThat(destroy(1, null)).isEqualTo(Destroyed.DESTROYED);
        assertThat(failure(() -> vms().launch(HostRig.request(SLOT)))).isEqualTo(FailureType.TOMBSTONE);
        assertThat(destroy(1, null)).as("again").isEqualTo(Destroyed.DESTROYED);
    }

    @Test
    void aDestroyThatFailedMayBeCalledAgainUntilItSucceeds() {
        vms().launch(HostRig.request(SLOT));
        rig.driver.destroyFails = new IOException("device busy");
        for (int i = 0; i < 3; i++) {
            assertThat(failure(() -> destroy(1, null))).isEqualTo(FailureType.LAUNCH_FAILED);
        }
        rig.driver.destroyFails = null;
        assertThat(destroy(1, null)).isEqualTo(Destroyed.DESTROYED);
        assertThat(rig.slots.isBuried(SLOT)).isTrue();
    }

    @Test
    void aSlotWithAClaimThatItsCallerDoesNotKnowIsNotDestroyed() throws Exception {
        rig.launch(SLOT);
        rig.storeClaim(SLOT, 7);
        rig.restart();
        assertThat(destroy(1, null)).isEqualTo(Destroyed.REASSIGNED);
        assertThat(destroy(1, 8L)).isEqualTo(Destroyed.REASSIGNED);
        assertThat(Objects.requireNonNull(rig.driver.vms.get(SLOT)).end).isNotDone();
        assertThat(destroy(1, 7L)).isEqualTo(Destroyed.DESTROYED);
        assertThat(rig.driver.vms).isEmpty();
    }
}
