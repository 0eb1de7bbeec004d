package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Pipeline;

/** Hears of the changes that GitLab sends webhooks for. Called under the instance's lock; must not block. */
public interface CiEvents {
    void buildChanged(Build build);

    void pipelineChanged(Pipeline pipeline);
}
