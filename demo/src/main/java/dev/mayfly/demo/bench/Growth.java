package dev.mayfly.demo.bench;

import java.util.Map;

/**
 * How a fleet was once so many jobs had ended.
 *
 * @param jobsASecond since the figures before these, or the beginning
 * @param cpu milliseconds for each job that ended since then, by process
 * @param memory MiB by process at that moment, shared pages by share
 */
record Growth(int jobs, double jobsASecond, Map<String, Double> cpu, Map<String, Double> memory) {}
