package dev.mayfly.demo;

/** Pipelines of jobs that the simulated driver plays. */
final class Played {

    private Played() {}

    /** One small job of this length. */
    static String job(String name, int seconds) {
        return """
                %s:
                  tags: [actuated-1cpu-1gb, shell]
                  variables: {SIMULATE_SECONDS: "%d"}
                  script: [echo played]
                """.formatted(name, seconds);
    }

    /** So many of the smallest jobs. */
    static String many(String name, int jobs) {
        return """
                %s:
                  parallel: %d
                  tags: [actuated-0.25cpu-256mb, shell]
                  script: [echo played]
                """.formatted(name, jobs);
    }

    /** Four jobs that leave no room on two hosts of 8 CPUs. */
    static String filling(int seconds) {
        return """
                filling:
                  parallel: 4
                  tags: [actuated-4cpu-4gb, shell]
                  variables: {SIMULATE_SECONDS: "%d"}
                  script: [echo played]
                """.formatted(seconds);
    }
}
