package dev.mayfly.testkit.gitlab.ci;

import java.util.List;

/** What a commit's configuration gives for one push: jobs in the order of their stages. Empty: no pipeline. */
public record PipelineSeed(List<String> stages, List<JobSeed> jobs) {}
