package dev.mayfly.api.start;

import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.jobs.Jobs.Project;
import dev.mayfly.api.Failures;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The projects that our access tokens' users maintain, a few at a time: that is how a project is found whose very first
 * webhook was lost, or that has none. All of them have been named before the first one is named again. Bounded, so that a
 * GitLab with thousands of projects is asked no more than a small one; what it remembers is lost in a crash, which costs
 * one round.
 */
final class MemberProjects {

    static final int MOST_PER_INSTANCE = 500;
    static final int AT_A_TIME = 20;
    private static final Logger LOG = LoggerFactory.getLogger(MemberProjects.class);

    private final List<String> instances;
    private final GitLabJobs gitlab;
    private final Deque<Project> left = new ArrayDeque<>();

    MemberProjects(List<String> instances, GitLabJobs gitlab) {
        this.instances = List.copyOf(instances);
        this.gitlab = gitlab;
    }

    /** The next few, most recently active ones first. */
    List<Project> next() {
        if (left.isEmpty()) {
            instances.forEach(this::list);
        }
        List<Project> next = new ArrayList<>();
        while (next.size() < AT_A_TIME && !left.isEmpty()) {
            next.add(left.poll());
        }
        return next;
    }

    private void list(String instance) {
        try {
            left.addAll(gitlab.maintainedProjects(instance, MOST_PER_INSTANCE));
        } catch (RuntimeException e) {
            LOG.warn("GitLab {}: its projects can't be listed now: {}", instance, Failures.inWords(e));
        }
    }
}
