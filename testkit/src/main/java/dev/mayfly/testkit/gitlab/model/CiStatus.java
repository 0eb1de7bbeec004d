package dev.mayfly.testkit.gitlab.model;

import java.util.Locale;

/** Statuses of builds and pipelines. */
public enum CiStatus {
    CREATED,
    WAITING_FOR_RESOURCE,
    PREPARING,
    WAITING_FOR_CALLBACK,
    PENDING,
    RUNNING,
    CANCELING,
    SUCCESS,
    FAILED,
    CANCELED,
    SKIPPED,
    MANUAL,
    SCHEDULED;

    /** As GitLab writes it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public boolean isComplete() {
        return this == SUCCESS || this == FAILED || this == CANCELED || this == SKIPPED;
    }
}
