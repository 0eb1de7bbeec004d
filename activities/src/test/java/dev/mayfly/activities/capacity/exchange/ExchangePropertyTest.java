package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.Fleet;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.VmSize;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;

/**
 * Whatever is claimed, cancelled, lost, doubled, late or cut off, and in whatever order: no job runs twice or in a wrong
 * size, no VM serves two jobs, no VM is destroyed under a job, no host holds more than it has room for, and in the end
 * every job has ended and all that was made is gone. The same sequences in each run, so that a build tells of its own
 * change: 500 in a build, 10,000 in {@code bin/test}, twice as many as {@code -Djqwik.tries.default} says. A try plays two sequences side by side, each in a PostgreSQL
 * of its own.
 *
 * <p>What a sequence costs, measured on two busy cores: some 27 transactions, 240 statements, 52 ms of CPU, more than half
 * of it PostgreSQL's own; 36 ms of time once the JVM is warm. So 10,000 are minutes. One query
 * for all that is compared after a transaction was slower than two, generic plans were no faster.
 */
class ExchangePropertyTest {

    private static final ExecutorService second = Executors.newSingleThreadExecutor();
    private static List<Side> sides = List.of();

    /** Classes of jobs, by their tags. */
    enum Kind {
        SMALL_DOCKER,
        SMALL_SHELL,
        LARGE_DOCKER,
        LARGE_SHELL,
        /** Asks for the label that only the first host has. */
        SMALL_LABELLED,
        /** None of its tags is ours; GitLab hands it to our runners all the same. */
        FOREIGN;

        private List<String> tags() {
            return switch (this) {
                case SMALL_DOCKER -> List.of("s");
                case SMALL_SHELL -> List.of("s", "shell");
                case LARGE_DOCKER -> List.of("l");
                case LARGE_SHELL -> List.of("l", "shell");
                case SMALL_LABELLED -> List.of("s", "labelled");
                case FOREIGN -> List.of("shell");
            };
        }

        private @Nullable VmSize size() {
            return switch (this) {
                case SMALL_DOCKER, SMALL_SHELL, SMALL_LABELLED -> Fleet.SMALL;
                case LARGE_DOCKER, LARGE_SHELL -> Fleet.LARGE;
                case FOREIGN -> null;
            };
        }

        CiJob job(long id) {
            return Fleet.job(
                    id,
                    tags(),
                    size(),
                    tags().contains("shell") ? Executor.SHELL : Executor.DOCKER,
                    this == SMALL_LABELLED ? World.LABELS : List.of());
        }
    }

    /**
     * A run.
     *
     * @param rooms how many small VMs each host has room for
     * @param choices which of the possible steps is taken, each time
     */
    record Run(List<Kind> kinds, List<Integer> rooms, boolean twoPhase, int faults, List<Integer> choices) {}

    @BeforeContainer
    static void open() throws SQLException {
        sides = List.of(new Side(), new Side());
    }

    @AfterContainer
    static void close() throws Exception {
        second.shutdown();
        for (Side side : sides) {
            side.close();
        }
    }

    @Provide
    Arbitrary<Run> runs() {
        return Combinators.combine(
                        Arbitraries.of(Kind.class).list().ofMinSize(2).ofMaxSize(5),
                        Arbitraries.integers().between(2, 3).list().ofMinSize(1).ofMaxSize(2),
                        Arbitraries.of(true, false),
                        Arbitraries.integers().between(0, 8),
                        Arbitraries.integers()
                                .between(0, 9999)
                                .withDistribution(RandomDistribution.uniform())
                                .list()
                                .ofMaxSize(100)
                                .withSizeDistribution(RandomDistribution.uniform()))
                .as(Run::new);
    }

    @Property(edgeCases = EdgeCasesMode.NONE, seed = "8584873339510613974")
    void nothingIsEverRunTwiceLostOrLeft(@ForAll("runs") Run one, @ForAll("runs") Run other) throws Throwable {
        Future<?> beside = second.submit(() -> sides.get(1).play(other));
        try {
            sides.get(0).play(one);
        } catch (Throwable failure) {
            awaitQuietly(beside);
            throw failure;
        }
        try {
            beside.get();
        } catch (ExecutionException failure) {
            throw failure.getCause();
        }
    }

    /** The other sequence must be over before the next begins in its database; one failure is told at a time. */
    private static void awaitQuietly(Future<?> beside) throws InterruptedException {
        try {
            beside.get();
        } catch (ExecutionException alsoFailed) {
            System.err.println("the sequence beside it failed too: " + alsoFailed.getCause());
        }
    }
}
