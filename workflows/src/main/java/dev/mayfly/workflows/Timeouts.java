package dev.mayfly.workflows;

import java.time.Duration;

/**
 * Every time-out of a job's life, each with the crash that it covers. Given to the workflow by its worker; tests use
 * seconds. Changing one never breaks a running workflow: durations are no part of what a replay compares.
 *
 * @param localHold one transaction in PostgreSQL, tried once inside the workflow task; covers a slow or absent database,
 *     after which the same call is made as a normal activity
 * @param control start to close of one call in the control plane; covers a control-plane process that died in it
 * @param controlRetry the longest pause between two attempts of a control-plane call; covers a GitLab, PostgreSQL
 *     outage of any length
 * @param hostAnswers schedule to start on a host's queue; covers a host or agent that is away. Means <em>unreachable</em>,
 *     nothing more
 * @param hostReturns the same for {@code claim} and {@code run}, long enough for an agent's restart or upgrade
 * @param launch start to close of a launch; covers an agent that died while it started the VM
 * @param destroy start to close of a destroy; covers an agent that died while it destroyed, and includes settling what
 *     the poll brought
 * @param heartbeat of {@code claim} and {@code run}; covers an agent that died while it waited: the call is delivered
 *     again to its successor
 * @param waiting start to close of {@code claim} and {@code run}; above any job's own time-out. GitLab, the VM's guard
 *     and the heartbeat end a run much earlier
 * @param recheck until a waiting workflow first looks by itself, then ever more rarely; covers a lost signal and a lost webhook
 * @param patience the longest pause between two rounds of dismantling on a host that does not answer
 * @param pause before the next try after a host or GitLab refused; keeps a standing fault from spinning
 */
public record Timeouts(
        Duration localHold,
        Duration control,
        Duration controlRetry,
        Duration hostAnswers,
        Duration hostReturns,
        Duration launch,
        Duration destroy,
        Duration heartbeat,
        Duration waiting,
        Duration recheck,
        Duration patience,
        Duration pause) {

    /** Before the second attempt of any call that is repeated without limit: most faults are short. */
    static final Duration FIRST_PAUSE = Duration.ofMillis(500);

    /** The longest pause between two deliveries of {@code claim} and {@code run}: a restarted agent takes over soon. */
    static final Duration REDELIVERY = Duration.ofSeconds(10);

    /** Between two looks of a waiting workflow: ever longer while nothing changes, which keeps long histories short. */
    Backoff rechecks() {
        return new Backoff(recheck, recheck.multipliedBy(5));
    }

    /**
     * The same in the queue, where a job costs nothing but may stand for hours, beside thousands: rarer still. The
     * reconciler, which asks GitLab for all jobs of a project at once, finds what ended unseen long before.
     */
    Backoff queueRechecks() {
        return new Backoff(recheck.multipliedBy(5), recheck.multipliedBy(15));
    }

    /** After a refusal: a standing fault neither spins nor is left alone for long once people have mended it. */
    Backoff refusals() {
        return new Backoff(pause, controlRetry);
    }

    /** Between two rounds of dismantling, and of calls that dismantling needs. */
    Backoff rounds() {
        return new Backoff(FIRST_PAUSE, patience);
    }

    /** What production uses. */
    public static Timeouts defaults() {
        return new Timeouts(
                Duration.ofSeconds(2),
                Duration.ofSeconds(30),
                Duration.ofMinutes(1),
                Duration.ofSeconds(20),
                Duration.ofMinutes(5),
                Duration.ofMinutes(2),
                Duration.ofMinutes(2),
                Duration.ofSeconds(60),
                Duration.ofDays(8),
                Duration.ofSeconds(60),
                Duration.ofMinutes(10),
                Duration.ofSeconds(15));
    }
}
