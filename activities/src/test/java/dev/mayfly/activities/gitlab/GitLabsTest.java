package dev.mayfly.activities.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mayfly.testkit.gitlab.SimulatedGitLab;
import dev.mayfly.testkit.gitlab.SimulatedGitLabOptions;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.job.JobKey;
import io.temporal.failure.ApplicationFailure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class GitLabsTest {

    private static final JobKey JOB = new JobKey("gl", 1, 1);

    @TempDir
    Path work;

    @Test
    void everyClientTrustsTheInstancesPrivateCaAndNoOtherCertificate() throws Exception {
        try (SimulatedGitLab server = SimulatedGitLab.start(
                SimulatedGitLabOptions.plainOnLoopback(work).withTls("localhost"))) {
            String ca = Files.readString(Objects.requireNonNull(server.caPem()));
            try (GitLabs trusting = clients(server.url(), server.rootToken(), ca);
                    GitLabs strict = clients(server.url(), server.rootToken(), null)) {
                assertThat(trusting.version("gl")).startsWith("19.");
                new LostJobs(trusting).fail(JOB, "glcbt-unknown", "answered with 403 or 404: it has ended");

                ApplicationFailure refused = catchThrowableOfType(ApplicationFailure.class, () -> strict.version("gl"));
                assertThat(refused.getType()).isEqualTo(FailureType.GITLAB_UNAVAILABLE.name());
                assertThat(refused.getOriginalMessage()).contains("does it trust its certificate");
                assertThatThrownBy(() -> new LostJobs(strict).fail(JOB, "glcbt-unknown", "why"))
                        .isInstanceOf(ApplicationFailure.class);
            }
        }
    }

    @Test
    void whatIsNoCertificateIsRefusedByTheInstancesName() {
        for (String text : List.of("", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")) {
            assertThatThrownBy(() -> clients("https://gitlab.test", "glpat-x", text))
                    .as(text)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the CA certificates of GitLab gl are no PEM");
        }
    }

    @Test
    void anInstanceThatIsNotConfiguredIsNamedWithTheCure() {
        try (GitLabs clients = clients("https://gitlab.test", "glpat-x", null)) {
            assertThatThrownBy(() -> clients.instance("other"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("no GitLab instance other")
                    .hasMessageContaining("add it under gitlab");
        }
    }

    private static GitLabs clients(String url, String token, @Nullable String caPem) {
        return new GitLabs(List.of(new GitLabInstanceConfig("gl", url, caPem, token, List.of(), List.of())));
    }
}
