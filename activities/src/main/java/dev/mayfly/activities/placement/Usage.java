package dev.mayfly.activities.placement;

/** What a project's slots take now. */
public record Usage(String instance, String projectPath, int jobs, long milliCpus, long memoryMib) {}
