package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The status of many builds together (lib/gitlab/ci/status/composite.rb). */
final class CompositeStatus {
    private enum Kind {
        CREATED,
        WAITING,
        PREPARING,
        PENDING,
        RUNNING,
        CANCELING,
        SUCCESS,
        WARNING,
        FAILED,
        CANCELED,
        SKIPPED,
        IGNORED,
        MANUAL,
        SCHEDULED
    }

    private final Set<Kind> kinds = new HashSet<>();

    private CompositeStatus(Collection<Build> builds) {
        builds.forEach(build -> kinds.add(kind(build)));
    }

    /** For jobs that wait for earlier stages, and for pipelines. */
    static CiStatus of(Collection<Build> builds) {
        return new CompositeStatus(builds).status();
    }

    /** For a job with {@code needs}: skipped if any of them does not run at all, pending until all have ended. */
    static CiStatus ofNeeds(Collection<Build> builds) {
        CompositeStatus composite = new CompositeStatus(builds);
        if (composite.any(Kind.SKIPPED, Kind.IGNORED)) {
            return CiStatus.SKIPPED;
        }
        return builds.stream().allMatch(build -> build.status().isComplete()) ? composite.status() : CiStatus.PENDING;
    }

    private CiStatus status() {
        if (only(Kind.SKIPPED, Kind.IGNORED)) {
            return CiStatus.SKIPPED;
        }
        if (only(Kind.SUCCESS, Kind.SKIPPED, Kind.WARNING, Kind.IGNORED)) {
            return CiStatus.SUCCESS;
        }
        if (only(Kind.CREATED, Kind.WARNING, Kind.IGNORED)) {
            return CiStatus.CREATED;
        }
        if (only(Kind.CANCELED, Kind.SUCCESS, Kind.SKIPPED, Kind.WARNING, Kind.IGNORED)) {
            return CiStatus.CANCELED;
        }
        if (only(Kind.PENDING, Kind.CREATED, Kind.SKIPPED, Kind.WARNING, Kind.IGNORED)) {
            return CiStatus.PENDING;
        }
        if (any(Kind.RUNNING, Kind.PENDING)) {
            return CiStatus.RUNNING;
        }
        if (any(Kind.CANCELING)) {
            return CiStatus.CANCELING;
        }
        if (any(Kind.WAITING)) {
            return CiStatus.WAITING_FOR_RESOURCE;
        }
        if (any(Kind.MANUAL)) {
            return CiStatus.MANUAL;
        }
        if (any(Kind.SCHEDULED)) {
            return CiStatus.SCHEDULED;
        }
        if (any(Kind.PREPARING)) {
            return CiStatus.PREPARING;
        }
        return any(Kind.CREATED) ? CiStatus.RUNNING : CiStatus.FAILED;
    }

    private boolean only(Kind... these) {
        return List.of(these).containsAll(kinds);
    }

    private boolean any(Kind... these) {
        return List.of(these).stream().anyMatch(kinds::contains);
    }

    private static Kind kind(Build build) {
        boolean allowed = build.isAllowedToFail();
        return switch (build.status()) {
            case CREATED -> Kind.CREATED;
            case WAITING_FOR_RESOURCE, WAITING_FOR_CALLBACK -> Kind.WAITING;
            case PREPARING -> Kind.PREPARING;
            case PENDING -> Kind.PENDING;
            case RUNNING -> Kind.RUNNING;
            case CANCELING -> Kind.CANCELING;
            case SUCCESS -> Kind.SUCCESS;
            case FAILED -> allowed ? Kind.WARNING : Kind.FAILED;
            case CANCELED -> allowed ? Kind.WARNING : Kind.CANCELED;
            case SKIPPED -> Kind.SKIPPED;
            case MANUAL -> allowed ? Kind.IGNORED : Kind.MANUAL;
            case SCHEDULED -> Kind.SCHEDULED;
        };
    }
}
