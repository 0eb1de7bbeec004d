package dev.mayfly.testkit.gitlab.ci;

/** The configuration is wrong: what GitLab shows as a pipeline's YAML errors. */
@SuppressWarnings("serial")
public final class CiConfigException extends RuntimeException {
    public CiConfigException(String message) {
        super(message);
    }
}
