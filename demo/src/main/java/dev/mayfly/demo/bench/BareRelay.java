package dev.mayfly.demo.bench;

import dev.mayfly.agent.relay.Relay;
import dev.mayfly.agent.relay.RelaySettings;
import dev.mayfly.agent.relay.RelayedJob;
import dev.mayfly.agent.relay.RelayedVm;
import dev.mayfly.agent.relay.Update;
import dev.mayfly.agent.relay.Upstream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** An agent's relay and nothing else, in a process with an agent's flags. Every guest is bound to the same job. */
public final class BareRelay {

    /** What the relay's port follows, in a line of its own. */
    static final String PORT = "relay at port ";

    private BareRelay() {}

    /** @param args GitLab's port on the loopback interface, and the job's id */
    public static void main(String[] args) throws Exception {
        Upstream gitlab = new Upstream("127.0.0.1", Integer.parseInt(args[0]), "", null, Duration.ofSeconds(10));
        Job job = new Job(Long.parseLong(args[1]), gitlab);
        try (Relay relay = new Relay(RelaySettings.standard(), peer -> Optional.of(job), Runnable::run)) {
            relay.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            System.out.println(PORT + relay.address().getPort());
            new CompletableFuture<Void>().get();
        }
    }

    private record Job(long id, Upstream gitlab) implements RelayedVm, RelayedJob {

        @Override
        public String slotId() {
            return "bench";
        }

        @Override
        public Optional<RelayedJob> job() {
            return Optional.of(this);
        }

        @Override
        public Set<Long> dependencies() {
            return Set.of();
        }

        @Override
        public boolean isItsToken(String token) {
            return true;
        }

        @Override
        public CompletionStage<Upstream> upstream() {
            return CompletableFuture.completedStage(gitlab);
        }

        @Override
        public CompletionStage<Optional<byte[]>> payload() {
            return CompletableFuture.completedStage(Optional.empty());
        }

        @Override
        public void updateBegins() {}

        @Override
        public CompletionStage<Void> updateAnswered(Update update) {
            return CompletableFuture.completedStage(null);
        }

        @Override
        public void updateLost() {}
    }
}
